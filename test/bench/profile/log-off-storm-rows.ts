import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { FakeDriver, FakeHost } from '#libs/hypervisor';
import { makeSkeleton } from '#libs/profiles';
import { DirectoryObjectStore, PROFILE_CHUNK_BYTES, VolumeStore } from '#libs/volumes';
import { type BenchRow, comparedRow } from '../bench-report.js';
import { quantile } from '../quantiles.js';
import { saveProfile } from './save-profile.js';
import type { StoredProfile } from './stored-profile.js';

const runProgram = promisify(execFile);
const USERS = 50;
const ROUNDS = 4;
const VOLUME_BYTES = 1 << 30;
const CHANGED_CHUNKS = 64;
const CHANGED_BYTES = CHANGED_CHUNKS * PROFILE_CHUNK_BYTES;

interface User {
  readonly machineId: string;
  profile: StoredProfile;
}

/** All at once: how long each took, and all of them. */
interface Burst {
  readonly eachMs: readonly number[];
  readonly seconds: number;
}

/** Everybody logs off at once, each with some changes all over a profile, against `cp` of the same bytes. */
export async function logOffStormRows(dir: string): Promise<BenchRow[]> {
  const host = new FakeHost();
  const driver = new FakeDriver(host);
  await driver.start();
  const objects = new DirectoryObjectStore(join(dir, 'storm-store'));
  const store = new VolumeStore({ objects, logger: pino({ level: 'warn' }, pino.destination(2)) });
  const users = await makeUsers(driver, store, join(dir, 'storm.ext4'));
  const [files, copies] = [join(dir, 'storm-files'), join(dir, 'storm-copies')];
  await mkdir(files);
  const found = { ours: [] as Burst[], cp: [] as Burst[] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [n, { machineId, profile }] of users.entries()) {
      const bytes = randomBytes(CHANGED_BYTES);
      await writeFile(join(files, `${n}.bytes`), bytes);
      for (let chunk = 0; chunk < CHANGED_CHUNKS; chunk++) {
        const at = Math.floor((VOLUME_BYTES / PROFILE_CHUNK_BYTES / CHANGED_CHUNKS) * (chunk + 0.5));
        const content = bytes.subarray(chunk * PROFILE_CHUNK_BYTES, (chunk + 1) * PROFILE_CHUNK_BYTES);
        await host.writeToVolume(machineId, profile.diskId, at * PROFILE_CHUNK_BYTES, content);
      }
    }
    await runProgram('sync', ['-f', files]);
    const saveAll = () =>
      atOnce(async (n) => {
        const user = users[n] as User;
        ({ profile: user.profile } = await saveProfile({ driver, store }, user.machineId, user.profile));
      });
    const copyAll = () => copyAtOnce(files, copies);
    await mkdir(copies);
    // Each is first as often as the other.
    const isOursFirst = round % 2 === 0;
    const first = await (isOursFirst ? saveAll() : copyAll());
    const second = await (isOursFirst ? copyAll() : saveAll());
    await rm(copies, { recursive: true });
    if (round === 0) continue;
    found.ours.push(isOursFirst ? first : second);
    found.cp.push(isOursFirst ? second : first);
  }
  await driver.stop();
  const rate = (bursts: readonly Burst[]) =>
    quantile(
      bursts.map(({ seconds }) => USERS / seconds),
      0.5,
    );
  const share = (bursts: readonly Burst[], p: number) =>
    quantile(
      bursts.flatMap(({ eachMs }) => eachMs),
      p,
    );
  const what = `${USERS} log off at once, ${CHANGED_BYTES / (1 << 20)} MiB changed by each, against cp with sync`;
  return [
    comparedRow(`${what}: rate`, rate(found.ours), '1/s', rate(found.cp)),
    comparedRow(`${what}: each, p50`, share(found.ours, 0.5), 'ms', share(found.cp, 0.5)),
    comparedRow(`${what}: each, p99`, share(found.ours, 0.99), 'ms', share(found.cp, 0.99)),
  ];
}

async function makeUsers(driver: FakeDriver, store: VolumeStore, skeleton: string): Promise<User[]> {
  await makeSkeleton(skeleton, { sizeBytes: VOLUME_BYTES, label: 'bench' });
  const users: User[] = [];
  for (let n = 0; n < USERS; n++) {
    const [machineId, diskId, key] = [randomUUID(), randomUUID(), randomBytes(32)];
    await driver.create({ id: machineId, image: noImage, vcpus: 1, memoryMiB: 1024, hostname: 'bench' });
    const served = { id: diskId, socketPath: '/nobody-listens', exportName: diskId, sizeBytes: VOLUME_BYTES };
    await driver.attachWritableVolume(machineId, served);
    const volume = `profile-${n}`;
    const { id } = await store.writeVersion(skeleton, { volume, chunkBytes: PROFILE_CHUNK_BYTES, key });
    users.push({ machineId, profile: { diskId, volume, key, versionId: id, sizeBytes: VOLUME_BYTES } });
  }
  return users;
}

const noImage = {
  digest: 'none',
  rootDiskPath: '/none',
  rootDiskFormat: 'raw' as const,
  kernelPath: '/none',
  initrdPath: '/none',
  kernelArguments: '',
};

async function atOnce(work: (n: number) => Promise<unknown>): Promise<Burst> {
  const from = performance.now();
  const eachMs = await Promise.all(
    Array.from({ length: USERS }, async (_, n) => {
      await work(n);
      return performance.now() - from;
    }),
  );
  return { eachMs, seconds: (performance.now() - from) / 1000 };
}

/** All in one shell: to start a program stops a process as large as this one, which is no work of `cp`. */
async function copyAtOnce(from: string, to: string): Promise<Burst> {
  const each = '(cp "$1/$n.bytes" "$2/" && sync "$2/$n.bytes" && date +%s%N) &';
  const script = `date +%s%N; for n in $(seq 0 ${USERS - 1}); do ${each} done; wait`;
  const { stdout } = await runProgram('sh', ['-c', script, 'sh', from, to]);
  const [startedAt = 0n, ...ends] = stdout.trim().split('\n').map(BigInt);
  if (ends.length !== USERS) throw new Error('not all were copied');
  const eachMs = ends.map((end) => Number(end - BigInt(startedAt)) / 1e6);
  return { eachMs, seconds: Math.max(...eachMs) / 1000 };
}
