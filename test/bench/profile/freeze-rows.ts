import { join } from 'node:path';
import { makeSkeleton } from '#libs/profiles';
import { type BenchRow, comparedRow, plainRow } from '../bench-report.js';
import { judged } from '../fork/targets.js';
import { median, quantile } from '../quantiles.js';
import { inMountedProfile, MOUNT_POINT } from './mounted-profile.js';
import type { ProfileHost } from './profile-host.js';
import type { StoredProfile } from './stored-profile.js';

const VOLUME_BYTES = 1 << 30;
const VIEWS = 30;
const MAX_FROZEN_MS = 50;
const WRITING = '/run/bench-writing';
const WRITER = `while [ -e ${WRITING} ]; do dd if=/dev/zero of=${MOUNT_POINT}/written bs=64k count=32 conv=fsync,notrunc; done`;

interface Views {
  readonly frozenMs: readonly number[];
  readonly wholeMs: readonly number[];
  readonly changedBytes: readonly number[];
  /** Guests that did not freeze in time. */
  readonly failed: number;
}

/** For how long write-backs hold a desktop's file system still, while programs write to it and while none does. */
export async function freezeRows(host: ProfileHost, dir: string): Promise<BenchRow[]> {
  const path = join(dir, 'freeze.ext4');
  await makeSkeleton(path, { sizeBytes: VOLUME_BYTES, label: 'bench' });
  const profile = await host.keep(path);
  await host.attach(profile);
  const [idle, busy] = await inMountedProfile(host, profile, async () => {
    const whenIdle = await views(host, profile);
    await host.inGuest(`touch ${WRITING}; (${WRITER}) > /dev/null 2>&1 & disown`);
    const whenBusy = await views(host, profile);
    await host.inGuest(`rm ${WRITING}; while pgrep -x dd; do sleep 0.1; done`);
    return [whenIdle, whenBusy] as const;
  });
  await host.detach(profile);
  const against = 'while being written, against idle';
  const frozen = (p: number): BenchRow =>
    comparedRow(
      `write-back: frozen ${against}, p${p * 100}`,
      quantile(busy.frozenMs, p),
      'ms',
      quantile(idle.frozenMs, p),
    );
  return [
    frozen(0.5),
    judged(frozen(0.99), { atMost: MAX_FROZEN_MS }),
    judged(plainRow(`write-back: of ${VIEWS} not frozen in time`, busy.failed, ''), { atMost: 0 }),
    comparedRow(`write-back: whole view ${against}, p50`, median(busy.wholeMs), 'ms', median(idle.wholeMs)),
    plainRow('write-back: changed from one view to the next, p50', median(busy.changedBytes) / 1e6, 'MB'),
  ];
}

async function views(host: ProfileHost, { diskId }: StoredProfile): Promise<Views> {
  const { driver, machineId } = host;
  const [frozenMs, wholeMs, changedBytes]: [number[], number[], number[]] = [[], [], []];
  let failed = 0;
  for (let n = 0; n < VIEWS; n++) {
    const from = performance.now();
    const view = await driver.viewVolume(machineId, diskId, { freeze: { mountPoint: MOUNT_POINT } });
    wholeMs.push(performance.now() - from);
    if (view.frozenMs === null) failed += 1;
    else frozenMs.push(view.frozenMs);
    const reader = await view.open();
    changedBytes.push(reader.changed.reduce((sum, { length }) => sum + length, 0));
    await reader.close();
    await driver.closeView(machineId, diskId, view.id, 'confirmed');
  }
  return { frozenMs, wholeMs, changedBytes, failed };
}
