import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { storeBelow } from '#libs/config';
import { FakeDriver } from '#libs/hypervisor';
import { ProvisionerModule } from '#services/provisioner';
import { type StormTask, startStormApp } from './storm-app.js';
import { stormHost } from './storm-host.js';

const task = workerData as StormTask;
const { stateDir } = task;
const store = storeBelow(stateDir);
const config = { hostName: 'storm-host', stateDir, store, appKeysDir: join(stateDir, 'app-keys') };
const app = await startStormApp(task, 'provisioner', [ProvisionerModule.register(config, new FakeDriver(stormHost()))]);
parentPort?.once('message', () => void app.close().then(() => parentPort?.postMessage('stopped')));
parentPort?.postMessage('started');
