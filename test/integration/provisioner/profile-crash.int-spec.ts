import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { poolProfileSchema, type SessionView } from '#libs/contracts';
import { FakeHost, type HypervisorDriver } from '#libs/hypervisor';
import { ProfileLeases } from '#libs/profiles';
import { SessionService } from '#libs/sessions';
import { until } from '#libs/testing';
import { VolumeStore } from '#libs/volumes';
import { DesktopProfileSync, DRIVER, OBJECT_STORE, ProfileVault, profileDiskId } from '#services/provisioner';
import { FleetFixture, type FleetHost } from './fleet-fixture.js';

const alice = { username: 'alice', roles: ['call-center'] };
const MIB = 1024 * 1024;
/** Far apart, so that each is a chunk of its own. */
const PLACES = [200, 201, 300, 5_000].map((mib) => mib * MIB);
const TEXT_BYTES = 8;

/** What of a provisioner is asked while it makes a version: each of these calls may be its last. */
const steps = {
  driver: ['viewVolume', 'closeView'],
  leases: ['leasesOf', 'newest', 'beginVersion', 'commit'],
  objects: ['put', 'has', 'list'],
} as const;

/**
 * Ends a provisioner at the n-th of these calls: before it is done, or when it is done and nobody hears of it. From then
 * on nothing that the process would do happens.
 */
class Death {
  private calls = 0;
  isDead = false;
  isSpared = false;

  constructor(
    private readonly at: number,
    private readonly when: 'before' | 'after',
  ) {}

  haunt(target: object, names: readonly string[]): void {
    for (const name of names) {
      const original = (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target);
      Reflect.set(target, name, (...args: unknown[]) => this.call(() => original(...args)));
    }
  }

  private call(work: () => unknown): unknown {
    if (this.isSpared) return work();
    if (this.isDead) throw new Error('the process is dead');
    this.calls += 1;
    if (this.calls !== this.at) return work();
    this.isDead = true;
    const dead = () => {
      throw new Error('the process has died');
    };
    if (this.when === 'before') return dead();
    const answer = work();
    return answer instanceof Promise ? answer.then(dead) : dead();
  }
}

describe('a provisioner that dies while it makes a version of a profile', () => {
  let fleet: FleetFixture;
  let machines: FakeHost;
  let host: FleetHost;
  let session: SessionView;
  let generation = 0;

  beforeAll(async () => {
    fleet = await FleetFixture.create();
    machines = new FakeHost({ forks: true });
    host = await fleet.addHost('host-1', machines);
    await fleet.publish();
    await fleet.addPool({ profile: poolProfileSchema.parse({ context: 'work', writeBackMinutes: 1_440 }) });
    await fleet.settled(2);
    const { id } = await fleet.app.get(SessionService).open(alice, { pool: 'call-center' });
    session = await fleet.session(id, 'ready', ({ state }) => state === 'ready');
    await write(textOf(generation));
    await save();
  });
  afterAll(() => fleet?.destroy());

  const part = <T>(token: unknown) => host.app.get(token as never, { strict: false }) as T;
  const volume = async () => {
    const found = await part<ProfileVault>(ProfileVault).find({ username: 'alice', context: 'work' });
    if (!found) throw new Error('alice has no profile');
    return found;
  };
  const textOf = (number: number) => String(number).padStart(TEXT_BYTES, '0');

  async function write(text: string): Promise<void> {
    const [machineId, diskId] = [session.desktop?.id ?? '', profileDiskId((await volume()).id)];
    for (const place of PLACES) await machines.writeToVolume(machineId, diskId, place, Buffer.from(text));
  }

  /** What the newest version holds at each place. */
  async function newest(): Promise<Set<string>> {
    const { id, key } = await volume();
    const version = await part<ProfileLeases>(ProfileLeases).newest(id);
    const reader = await part<VolumeStore>(VolumeStore).openVersion(version?.versionId ?? '', { key });
    try {
      const texts = await Promise.all(PLACES.map((place) => reader.read(place, TEXT_BYTES)));
      return new Set(texts.map(String));
    } finally {
      await reader.close();
    }
  }

  const save = () =>
    part<DesktopProfileSync>(DesktopProfileSync).save({ desktopId: session.desktop?.id ?? '', reason: 'write-back' });

  it.each(['before', 'after'] as const)(
    '%s each step: the newest is the old one or the new one, whole',
    async (when) => {
      const outcomes = new Set<string>();
      for (let at = 1; ; at += 1) {
        generation += 1;
        await write(textOf(generation));
        const death = new Death(at, when);
        death.haunt(part<HypervisorDriver>(DRIVER), steps.driver);
        death.haunt(part<ProfileLeases>(ProfileLeases), steps.leases);
        death.haunt(part<object>(OBJECT_STORE), steps.objects);
        const isSaved = await save().then(
          () => true,
          () => false,
        );
        if (!death.isDead) {
          expect(isSaved).toBe(true);
          // It would die later.
          death.isSpared = true;
          break;
        }
        // What the dead one would clear up is left to the next.
        await fleet.removeHost(host);
        host = await fleet.addHost('host-1', machines);
        const found = await newest();
        expect(found.size).toBe(1);
        const [text = ''] = found;
        expect([textOf(generation), textOf(generation - 1)]).toContain(text);
        outcomes.add(text === textOf(generation) ? 'new' : 'old');
        // Nothing was lost: the next version has it, however far the last one came.
        await until('a version after it', () =>
          save().then(
            () => true,
            () => false,
          ),
        );
        expect(await newest()).toEqual(new Set([textOf(generation)]));
      }
      expect(outcomes).toEqual(new Set(['old', 'new']));
    },
    300_000,
  );

  it('leaves a store without a fault, and nothing that keeps others from the profile', async () => {
    await fleet.app.get(SessionService).logOff(alice, session.id);
    const { id } = await volume();
    const leases = part<ProfileLeases>(ProfileLeases);
    await until('it is given back', async () => (await leases.holder(id)) === null);
    expect(await newest()).toEqual(new Set([textOf(generation)]));
    expect((await part<VolumeStore>(VolumeStore).fsck()).findings).toEqual([]);
  });
});
