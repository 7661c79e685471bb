import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { type DesktopView, desktopViewSchema, type PoolView, poolViewSchema, type SessionView } from '#libs/contracts';
import { ApiPerson } from './support/api-person.js';
import { runInGuest } from './support/guest-command.js';
import { MachinesOfHost } from './support/machines-of-host.js';
import { openTunnel } from './support/open-tunnel.js';
import { SeparateServices } from './support/separate-services.js';
import { until } from './support/until.js';

const execFileAsync = promisify(execFile);
const CALLERS = ['carl', 'cleo', 'cora', 'curt', 'cyra'];
const FLOOR = 2;
/** Room for the import of the golden image and a boot of its parent, on a busy host. */
const SETTLED_MS = 180_000;
/** So many more at once, when forks are to be interrupted. */
const BURST = 3;
/** A kill comes at the wanted moment or a moment too late; then it is tried again. */
const ATTEMPTS = 5;
const MARKER = '/home/user/was-here';

describe('each service is killed alone, at any moment', () => {
  let services: SeparateServices;
  let host: MachinesOfHost;
  let ivan: ApiPerson;
  let alice: ApiPerson;
  /** Alice's, which outlives everything but a restart of the host. */
  let session: SessionView;
  let desktop: string;

  const pool = async (): Promise<PoolView> => poolViewSchema.parse(await ivan.call('GET', '/pools/crash'));
  const setSpares = (spares: number) => ivan.call('PATCH', '/pools/crash', { spares });
  const desktops = async (): Promise<DesktopView[]> =>
    z.array(desktopViewSchema).parse(await ivan.call('GET', '/desktops'));
  const statesOf = async (ids: readonly string[]): Promise<string[]> =>
    (await services.rows<{ state: string }>('SELECT state FROM desktops WHERE id = ANY($1)', [ids])).map(
      ({ state }) => state,
    );

  /** Waits until the floor is restored, every machine has its desktop, and nothing else is left of any. */
  async function settled(spares = FLOOR): Promise<void> {
    let seen: unknown;
    const isSettled = async () => {
      const { counts } = await pool();
      const ids = (await desktops()).filter(({ state }) => state !== 'quarantined').map(({ id }) => id);
      const leftovers = await host.leftovers(ids);
      const missing = ids.filter((id) => !host.processes().has(id));
      seen = { counts, leftovers, missing };
      const isAtRest = counts.available === spares && counts.provisioning === 0 && counts.recycling === 0;
      return isAtRest && leftovers.length === 0 && missing.length === 0;
    };
    await until('all is at rest', isSettled, SETTLED_MS).catch((error: unknown) => {
      const printed = services.provisioner.printed.slice(-6_000);
      throw new Error(`${String(error)}: ${JSON.stringify(seen)}\n${printed}`, { cause: error });
    });
    expect(await services.rows(`SELECT id, failure FROM sessions WHERE state = 'failed'`)).toEqual([]);
  }

  const inGuest = (id: string, command: string) => runInGuest(host.path(id, 'run/agent.sock'), command);
  const hasMarker = async (id: string) => (await inGuest(id, `test -e ${MARKER}`)) === 0;

  /** Alice works on a desktop, and all else is at rest. */
  async function alicesDesktop(): Promise<void> {
    await setSpares(FLOOR);
    ({ session, desktop } = await alice.desktopOf((await alice.open(randomUUID())).id));
    expect(await inGuest(desktop, `touch ${MARKER}`)).toBe(0);
    await settled();
  }

  /** A session lives on in the very machine it had. */
  async function expectUntouched(pid: number | undefined): Promise<void> {
    expect((await alice.desktopOf(session.id)).desktop).toBe(desktop);
    expect(host.processes().get(desktop)).toBe(pid);
    expect(await hasMarker(desktop)).toBe(true);
  }

  /** Looks without a pause: the moments are short. */
  async function theMoment(what: string, isNow: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 30_000; !isNow(); await new Promise(setImmediate)) {
      if (Date.now() > deadline) throw new Error(`it never came: ${what}`);
    }
  }

  beforeAll(async () => {
    services = await SeparateServices.prepare(['alice', ...CALLERS]);
    host = new MachinesOfHost(services.stateDir);
    await services.start();
    ivan = new ApiPerson(services.broker.url, 'ivan');
    alice = new ApiPerson(services.broker.url, 'alice');
    await Promise.all([ivan.signIn(), alice.signIn()]);
    const shape = { image: 'call-center', vcpus: 1, memoryMiB: 768 };
    const limits = { roles: ['staff'], spares: FLOOR, max: 12 };
    await ivan.call('POST', '/pools', { name: 'crash', displayName: 'Crash', ...shape, ...limits });
  });

  afterAll(async () => {
    await services?.provisioner.kill();
    for (const pid of host?.processes().values() ?? []) process.kill(pid, 'SIGKILL');
    await services?.remove();
  });

  it('the provisioner dies while the parent of all machines is made: nothing half-made is left or used', async () => {
    const halfMade = await until('a parent in the making', () => {
      const [id] = host.parentsInTheMaking();
      return id !== undefined && host.processes().has(id) && id;
    });
    await services.provisioner.kill();
    expect(host.processes().has(halfMade)).toBe(true);
    expect(host.parents()).toEqual([]);
    await services.provisioner.start();
    await until('the end of the half-made parent', () => !host.parentsInTheMaking().includes(halfMade));
    expect(host.processes().has(halfMade)).toBe(false);
    expect(existsSync(`/dev/shm/goldleaf-${halfMade}`)).toBe(false);
    await settled();
    expect(host.parents()).toHaveLength(1);
    expect((await desktops()).map(({ start }) => start?.method)).toEqual(['fork', 'fork']);
  });

  describe('the provisioner dies in the middle of several forks', () => {
    beforeEach(alicesDesktop);

    const unfinished = () => host.onDisk().filter(({ hasRecord }) => !hasRecord);
    it.each([
      {
        moment: 'a leaf lies there, its QEMU does not run yet',
        isNow: () => unfinished().some(({ hasLeaf, hasMonitor }) => hasLeaf && !hasMonitor),
        wasThen: async () => {
          const running = host.processes();
          return unfinished().some(({ id, hasLeaf }) => hasLeaf && !running.has(id));
        },
      },
      {
        moment: 'a QEMU runs, the machine is not made yet',
        isNow: () => unfinished().some(({ hasMonitor }) => hasMonitor),
        wasThen: async () => unfinished().some(({ id }) => host.processes().has(id)),
      },
      {
        moment: 'a machine is made, its desktop is not there yet',
        isNow: () => host.onDisk().filter(({ hasRecord }) => hasRecord).length > FLOOR + 1,
        wasThen: async () => {
          const made = host.onDisk().filter(({ hasRecord }) => hasRecord);
          return (await statesOf(made.map(({ id }) => id))).includes('provisioning');
        },
      },
    ])('$moment', async ({ moment, isNow, wasThen }) => {
      const pid = host.processes().get(desktop);
      for (let attempt = 1, hit = false; !hit; attempt++) {
        if (attempt > ATTEMPTS) throw new Error(`never killed when ${moment}`);
        await setSpares(FLOOR + BURST);
        await theMoment(moment, isNow);
        await services.provisioner.kill();
        hit = await wasThen();
        await services.provisioner.start();
        await settled(FLOOR + BURST);
        await expectUntouched(pid);
        await setSpares(FLOOR);
        await settled();
      }
    });
  });

  describe('while a person works', () => {
    beforeEach(alicesDesktop);

    it('the provisioner dies while it destroys machines: they are destroyed all the same', async () => {
      const pid = host.processes().get(desktop);
      for (let attempt = 1, hit = false; !hit; attempt++) {
        if (attempt > ATTEMPTS) throw new Error('never killed in the middle');
        await setSpares(FLOOR + BURST);
        await settled(FLOOR + BURST);
        await setSpares(FLOOR);
        await theMoment('one is being destroyed', () => host.onDisk().some(({ hasRecord }) => !hasRecord));
        await services.provisioner.kill();
        const halfGone = host.onDisk().filter(({ hasRecord }) => !hasRecord);
        hit = (await statesOf(halfGone.map(({ id }) => id))).includes('recycling');
        await services.provisioner.start();
        await settled();
        await expectUntouched(pid);
      }
    });

    it('the gateway dies: the desktop stays, and its person is back on it as soon as there is a gateway', async () => {
      const pid = host.processes().get(desktop);
      const tunnel = await openTunnel(services.gateway.url, (await alice.ticket(session.id)).ticket);
      await services.gateway.kill();
      await tunnel.closed;
      await services.gateway.start();
      const again = await openTunnel(services.gateway.url, (await alice.ticket(session.id)).ticket);
      again.close();
      expect((await alice.session(session.id)).desktop?.id).toBe(desktop);
      expect(host.processes().get(desktop)).toBe(pid);
      expect(await hasMarker(desktop)).toBe(true);
    });

    it('the broker dies while five people open sessions: each has one session with one desktop', async () => {
      const callers = CALLERS.map((name) => new ApiPerson(services.broker.url, name));
      for (const caller of callers) await caller.signIn();
      const keys = new Map(callers.map((caller) => [caller, randomUUID()]));
      const openAll = () => Promise.allSettled(callers.map((caller) => caller.open(keys.get(caller) ?? '')));
      for (let attempt = 1, hit = false; !hit; attempt++) {
        if (attempt > ATTEMPTS) throw new Error('never killed in the middle');
        for (const caller of callers) {
          for (const { id } of await caller.sessions()) await caller.logOff(id);
          keys.set(caller, randomUUID());
        }
        const before = await services.rows('SELECT id FROM sessions');
        const asking = openAll();
        const isUnderWay = async () => (await services.rows('SELECT id FROM sessions')).length > before.length;
        while (!(await isUnderWay())) await new Promise(setImmediate);
        await services.broker.kill();
        hit = (await asking).some(({ status }) => status === 'rejected');
        await services.broker.start();
      }
      // Those who had an answer ask again too: a retry is no second order.
      const first = await openAll();
      const second = await openAll();
      const idsOf = (asked: typeof first) => asked.map((each) => (each.status === 'fulfilled' ? each.value.id : each));
      expect(idsOf(second)).toEqual(idsOf(first));
      const given = await Promise.all(
        callers.map(async (caller) => {
          const sessions = await caller.sessions();
          expect(sessions).toHaveLength(1);
          return (await caller.desktopOf(sessions[0]?.id ?? '')).desktop;
        }),
      );
      expect(new Set([...given, desktop]).size).toBe(CALLERS.length + 1);
      expect((await desktops()).filter(({ state }) => state === 'assigned')).toHaveLength(CALLERS.length + 1);
      for (const caller of callers) for (const { id } of await caller.sessions()) await caller.logOff(id);
      await settled();
    });

    it('Redis dies with the order to destroy a leaf in it: the leaf is destroyed, and a clean desktop is given', async () => {
      const old = desktop;
      services.provisioner.freeze();
      await alice.recycle(session.id);
      services.killServer('redis');
      expect(existsSync(host.path(old, 'run/leaf.luks'))).toBe(true);
      services.provisioner.thaw();
      ({ desktop } = await alice.desktopOf(session.id, old));
      await settled();
      expect(existsSync(host.path(old, ''))).toBe(false);
      expect(await hasMarker(desktop)).toBe(false);
    });

    it('PostgreSQL dies while a leaf is destroyed and machines are made: it is all done in the end', async () => {
      const old = desktop;
      await alice.recycle(session.id);
      await theMoment('the leaf is being destroyed', () => !existsSync(host.path(old, 'machine.json')));
      services.killServer('postgres');
      ({ desktop } = await until('a clean desktop', () => alice.desktopOf(session.id, old).catch(() => undefined)));
      await settled();
      expect(existsSync(host.path(old, ''))).toBe(false);
      expect(await hasMarker(desktop)).toBe(false);

      await setSpares(FLOOR + BURST);
      const known = host.onDisk().length;
      await theMoment('machines are being made', () => host.onDisk().length > known);
      services.killServer('postgres');
      await until('PostgreSQL is back', () => pool().catch(() => undefined));
      await settled(FLOOR + BURST);
      await setSpares(FLOOR);
      await settled();
      for (const service of services.all) expect(service.runs).toBe(true);
    });

    it('a machine whose record was damaged in the crash is given to nobody', async () => {
      const pid = host.processes().get(desktop);
      const [spare] = (await desktops()).filter(({ state }) => state === 'available');
      const doubtful = spare?.id ?? '';
      expect(host.processes().has(doubtful)).toBe(true);
      await services.provisioner.kill();
      await writeFile(host.path(doubtful, 'machine.json'), '{"formatVersion":1,"id":');
      await services.provisioner.start();
      await settled();
      expect(host.processes().has(doubtful)).toBe(false);
      expect(await statesOf([doubtful])).toEqual(['deleted']);
      await expectUntouched(pid);
    });

    it('a leaf that cannot be destroyed is in quarantine, for all to see, also after a crash; nobody is given it', async () => {
      const carl = new ApiPerson(services.broker.url, 'carl');
      await carl.signIn();
      const opened = await carl.desktopOf((await carl.open(randomUUID())).id);
      const stuck = opened.desktop;
      await settled();
      const setFree = await makeUndeletable(host.path(stuck, 'run'), 'leaf.luks');
      try {
        await carl.logOff(opened.session.id);
        const quarantined = () =>
          until('quarantine', async () => (await pool()).quarantined.find(({ desktopId }) => desktopId === stuck));
        expect((await quarantined()).reason).toContain('could not be destroyed');
        await services.provisioner.kill();
        await services.provisioner.start();
        expect((await desktops()).find(({ id }) => id === stuck)).toMatchObject({
          state: 'quarantined',
          reason: expect.stringContaining('could not be destroyed'),
        });
        expect(host.processes().has(stuck)).toBe(false);
        const again = await carl.desktopOf((await carl.open(randomUUID())).id);
        expect(again.desktop).not.toBe(stuck);
        await carl.logOff(again.session.id);
        await until('the floor', async () => {
          const { available, recycling, provisioning } = (await pool()).counts;
          return available === FLOOR && recycling + provisioning === 0;
        });
      } finally {
        await setFree();
      }
      // What kept it is over: the next start clears what is left on disk.
      await services.provisioner.kill();
      await services.provisioner.start();
      await settled();
      await ivan.call('DELETE', `/desktops/${stuck}`);
      await until('the end of the quarantine', async () => (await pool()).counts.quarantined === 0);
      expect(await statesOf([stuck])).toEqual(['deleted']);
    });

    it('the host restarts: only clean desktops, a new one for its person, and nothing left of the old', async () => {
      const [key = ''] = host.parents();
      const memoryBefore = await stat(join(host.parentsDir, key, 'memory'));
      await setSpares(FLOOR + BURST);
      await theMoment('machines are being made', () => host.onDisk().some(({ hasRecord }) => !hasRecord));
      const old = desktop;
      await Promise.all(services.all.map((service) => service.kill()));
      services.killServer('redis');
      services.killServer('postgres');
      for (const pid of host.processes().values()) process.kill(pid, 'SIGKILL');
      const folders = host.onDisk().map(({ id }) => id);
      expect(folders).toContain(old);
      // As a host leaves it that went down while a parent was saved, or put in its place.
      const halfMade = randomUUID();
      await mkdir(join(host.parentsDir, halfMade, 'run'), { recursive: true });
      await writeFile(join(host.parentsDir, halfMade, 'state'), 'half');
      await mkdir(join(host.parentsDir, '0'.repeat(40)));
      await writeFile(join(host.parentsDir, '0'.repeat(40), 'memory'), 'half');
      await writeFile(join(host.machinesDir, `blank-${randomUUID()}.qcow2`), 'half');

      await services.start();
      const again = await alice.desktopOf(session.id, old);
      expect(again.session.preparingReason).toBe('machine-lost');
      await settled(FLOOR + BURST);
      expect(await hasMarker(again.desktop)).toBe(false);
      expect(await readdir(host.machinesDir)).not.toEqual(expect.arrayContaining([expect.stringMatching(old)]));
      for (const id of (await desktops()).filter(({ state }) => state !== 'quarantined').map((each) => each.id)) {
        expect(folders.filter((folder) => folder === id && host.processes().get(id) === undefined)).toEqual([]);
      }
      expect(host.parents()).toEqual([key]);
      const memory = await stat(join(host.parentsDir, key, 'memory'));
      expect({ ino: memory.ino, mtimeMs: memory.mtimeMs }).toEqual({
        ino: memoryBefore.ino,
        mtimeMs: memoryBefore.mtimeMs,
      });
      const started = (await desktops())
        .filter(({ state }) => state !== 'quarantined')
        .map(({ start }) => start?.method);
      expect(new Set(started)).toEqual(new Set(['fork']));
    });
  });
});

/** Keeps a file from being removed by anyone. @returns what lifts that */
async function makeUndeletable(folder: string, file: string): Promise<() => Promise<void>> {
  if (process.getuid?.() !== 0) {
    await chmod(folder, 0o500);
    return () => chmod(folder, 0o700);
  }
  await execFileAsync('chattr', ['+i', join(folder, file)]);
  return async () => {
    await execFileAsync('chattr', ['-i', join(folder, file)]);
  };
}
