import { parentPort, workerData } from 'node:worker_threads';
import { storeBelow } from '#libs/config';
import { FakeDriver, FakeHost } from '#libs/hypervisor';
import { ProvisionerModule } from '#services/provisioner';
import { type StormTask, startStormApp } from './storm-app.js';

/** As fast as a fork, on a host so large that the machines are never what is waited for. */
const host = new FakeHost({ bootTimeMs: 0, createTimeMs: 100, forks: true });
host.totals = { vcpus: 64, memoryMiB: 64 * 1024 * 1024, diskMiB: 64 * 1024 * 1024 };

const task = workerData as StormTask;
const config = { hostName: 'storm-host', stateDir: task.stateDir, store: storeBelow(task.stateDir) };
const app = await startStormApp(task, 'provisioner', [ProvisionerModule.register(config, new FakeDriver(host))]);
parentPort?.once('message', () => void app.close().then(() => parentPort?.postMessage('stopped')));
parentPort?.postMessage('started');
