import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { storeBelow } from '#libs/config';
import { FleetStore } from '#libs/fleet';
import { type CallOptions, FakeDriver, type Machine, type MachineSpec } from '#libs/hypervisor';
import { Metrics } from '#libs/telemetry';
import { ProvisionerModule } from '#services/provisioner';
import { type StormTask, startStormApp } from '../storm/storm-app.js';
import { stormHost } from '../storm/storm-host.js';
import { noMarks, nowMs, type RefillMetric, takeMarks, watchCommits } from './marks.js';

const marks = noMarks();

class WatchedDriver extends FakeDriver {
  override create(spec: MachineSpec, options?: CallOptions): Promise<Machine> {
    marks.created.push(nowMs());
    return super.create(spec, options);
  }
}

const task = workerData as StormTask;
const { stateDir } = task;
const store = storeBelow(stateDir);
const config = { hostName: 'storm-host', stateDir, store, appKeysDir: join(stateDir, 'app-keys') };
const provisioner = ProvisionerModule.register(config, new WatchedDriver(stormHost()), 1_000);
const app = await startStormApp(task, 'provisioner', [provisioner]);

watchCommits(app.get(FleetStore), marks);

async function metric(): Promise<RefillMetric> {
  const read = await app.get(Metrics).registry.getSingleMetric('goldleaf_refill_start_seconds')?.get();
  const value = (suffix: string, le?: number) =>
    (read?.values ?? []).find((each) => {
      const { metricName, labels } = each as { metricName?: string; labels: { le?: number | string } };
      return metricName?.endsWith(suffix) && (le === undefined || labels.le === le);
    })?.value ?? 0;
  return { count: value('_count'), sumSeconds: value('_sum'), within50Ms: value('_bucket', 0.05) };
}

parentPort?.on('message', (message: 'marks' | 'metric' | 'stop') => {
  if (message === 'stop') void app.close().then(() => parentPort?.postMessage('stopped'));
  else if (message === 'metric') void metric().then((read) => parentPort?.postMessage(read));
  else parentPort?.postMessage(takeMarks(marks));
});
parentPort?.postMessage('started');
