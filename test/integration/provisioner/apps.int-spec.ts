import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { loadOrCreateSigningKey } from '#libs/app-layers';
import { AppCatalogue } from '#libs/apps';
import { HostRegistry } from '#libs/desktops';
import { JobDispatcher } from '#libs/jobs';
import { AppStarts, SessionService } from '#libs/sessions';
import { until } from '#libs/testing';
import { type AppOptions, MachineExports } from '#services/provisioner';
import { AppsFixture, person, sha256Of } from './apps-fixture.js';

const alice = person('alice');

describe('applications of desktops', () => {
  let apps: AppsFixture;
  const limits = { attachTimeoutMs: 4_000, guestTimeoutMs: 4_000, readTimeoutMs: 3_000, retryAfterMs: [] };

  beforeEach(async () => {
    apps = await AppsFixture.create(limits);
  });
  /** All anew, with some other limits. */
  async function beginAgain(change: Partial<AppOptions>): Promise<void> {
    await apps.destroy();
    apps = await AppsFixture.create({ ...limits, ...change });
  }
  afterEach(() => apps?.destroy());

  const serves = () => [...apps.host.app.get(MachineExports, { strict: false }).machineIds];
  /** Nothing was taken from a guest that had it merged. */
  const nothingTorn = () => expect(apps.machines.tornVolumes).toEqual([]);
  const audits = (reason: string) =>
    apps.rows(`SELECT 1 FROM audit_entries WHERE action = 'app-failed' AND details ->> 'reason' = $1`, [reason]);

  describe('at logon', () => {
    it('are those of the role and no others, merged together and readable to the last byte', async () => {
      await beginAgain({ togetherMs: 30_000 });
      const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
      await apps.publish('others');
      await apps.assign('sheet');
      await apps.assign('notes');
      await apps.assign('others', {}, 'back-office');
      const logon = await apps.logOn();
      await logon.shows({ notes: 'ready', sheet: 'ready' });
      await logon.has(sheet, notes);
      expect(apps.tellings).toBe(1);
      expect(apps.merges.map(({ sha256 }) => sha256).sort()).toEqual([sha256Of(sheet), sha256Of(notes)].sort());
      expect(await apps.metric('goldleaf_apps_attached')).toBe(2);
      expect(await apps.metric('goldleaf_app_attach_seconds_count{phase="host"}')).toBe(2);
      expect(await apps.metric('goldleaf_app_attach_seconds_count{phase="guest"}')).toBe(1);
    });

    it('cost nothing for who has none, and nothing is fetched for the second desktop of a host', async () => {
      const sheet = await apps.publish('sheet');
      await apps.assign('sheet', {}, 'back-office');
      await apps.logOn(alice);
      expect(apps.tellings).toBe(0);
      const first = await apps.logOn(person('carol', 'back-office'));
      await first.shows({ sheet: 'ready' });
      const fetched = await apps.metric('goldleaf_volume_read_bytes_total{source="store"}');
      expect(fetched).toBeGreaterThan(sheet.content.length * 0.9);
      const second = await apps.logOn(person('carl', 'back-office'));
      await second.shows({ sheet: 'ready' });
      await second.has(sheet);
      expect(await apps.metric('goldleaf_volume_read_bytes_total{source="store"}')).toBe(fetched);
      expect(await apps.metric('goldleaf_volume_read_bytes_total{source="cache"}')).toBeGreaterThanOrEqual(
        sheet.content.length,
      );
      // Who can connect to a socket sees all that is on it.
      const sockets = [first, second].map(({ machine }) => machine.volumes.get(sheet.versionId)?.socketPath);
      expect(new Set(sockets).size).toBe(2);
    });

    it('come although the job was lost', async () => {
      const sheet = await apps.publish('sheet');
      await apps.assign('sheet');
      const jobs = apps.host.app.get(JobDispatcher);
      const enqueue = jobs.enqueue.bind(jobs);
      let lost = 0;
      jobs.enqueue = async (name, payload, options) => {
        if (name === 'desktop.apps' && lost++ === 0) return;
        await enqueue(name, payload, options);
      };
      const logon = await apps.logOn();
      await logon.has(sheet);
      expect(lost).toBeGreaterThan(1);
    });
  });

  describe('when the role changes', () => {
    it('stay as they are until the next logon, unless they are to change now', async () => {
      const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
      await apps.assign('sheet');
      const logon = await apps.logOn();
      await logon.has(sheet);
      await apps.assign('notes');
      await logon.shows({ sheet: 'ready' });
      await apps.assign('notes', { now: true });
      await logon.has(sheet, notes);
      await apps.withdraw('sheet', false);
      await logon.shows({ notes: 'ready', sheet: 'ready' });
      await apps.withdraw('sheet', true);
      await logon.has(notes);
      await logon.shows({ notes: 'ready' });
      nothingTorn();
      await until('not served any more', async () => (await apps.metric('goldleaf_apps_attached')) === 1);
      await apps.host.app.get(SessionService).logOff(alice, logon.sessionId);
      const next = await apps.logOn();
      await next.has(notes);
    });

    it('a newer version takes the place of the older one', async () => {
      const older = await apps.publish('sheet');
      await apps.assign('sheet');
      const logon = await apps.logOn();
      await logon.has(older);
      const newer = await apps.publish('sheet');
      await apps.assign('sheet', { now: true });
      await logon.has(newer);
      await logon.shows({ sheet: 'ready' });
      expect(await logon.read(newer)).toBe(sha256Of(newer));
      nothingTorn();
    });

    it('a volume that its guest does not let go of is taken away later', async () => {
      await apps.publish('sheet');
      await apps.assign('sheet');
      const logon = await apps.logOn();
      await logon.shows({ sheet: 'ready' });
      apps.machines.failNext('volume-busy', 'detachVolume');
      apps.machines.failNext('volume-busy', 'detachVolume');
      await apps.withdraw('sheet', true);
      await logon.shows({});
      await logon.has();
      nothingTorn();
    });
  });

  describe('on demand', () => {
    it('are in the menu only; choosing one attaches and starts it once', async () => {
      const sheet = await apps.publish('sheet');
      await apps.assign('sheet', { mode: 'on-demand' });
      const logon = await apps.logOn();
      await logon.shows({ sheet: 'on-demand' });
      await logon.has();
      expect([...logon.machine.apps.onDemand]).toEqual(['sheet']);
      expect(await apps.metric('goldleaf_volume_read_bytes_total{source="store"}')).toBe(0);
      logon.choose('sheet');
      await logon.shows({ sheet: 'ready' });
      await logon.has(sheet);
      await until('started', () => logon.started.length > 0);
      expect([...logon.machine.apps.onDemand]).toEqual([]);
      logon.choose('sheet');
      await until('started again', () => logon.started.length > 1);
      expect(logon.started).toEqual(['sheet', 'sheet']);
    });

    it('are started from outside exactly once, however often the work is done', async () => {
      await apps.publish('sheet');
      await apps.publish('notes');
      await apps.assign('sheet', { mode: 'on-demand' });
      await apps.assign('notes');
      const logon = await apps.logOn(alice, 'sheet');
      await logon.shows({ notes: 'ready', sheet: 'ready' });
      await until('started', () => logon.started.length > 0);
      const jobs = apps.host.app.get(JobDispatcher);
      for (let i = 0; i < 3; i += 1)
        await jobs.enqueue('desktop.apps', { desktopId: logon.desktopId }, { host: 'host-1' });
      await apps.host.app.get(AppStarts).start('alice', logon.sessionId, 'notes');
      await until('notes started', () => logon.started.includes('notes'));
      expect(logon.started).toEqual(['sheet', 'notes']);
    });

    it('nothing else that a desktop says is heard', async () => {
      await apps.publish('sheet');
      await apps.publish('others');
      await apps.assign('sheet', { mode: 'on-demand' });
      await apps.assign('others', {}, 'back-office');
      const logon = await apps.logOn();
      await logon.shows({ sheet: 'on-demand' });
      const say = (text: string) => apps.machines.sayFromGuest(logon.desktopId, text);
      say('start others others.desktop');
      say('start ../sheet x.desktop');
      say('stop sheet');
      const ignored = (reason: string) => apps.metric(`goldleaf_guest_messages_ignored_total{reason="${reason}"}`);
      await until('ignored', async () => (await ignored('unknown')) === 2 && (await ignored('not-theirs')) === 1);
      await logon.shows({ sheet: 'on-demand' });
      for (let i = 0; i < 20; i += 1) logon.choose('sheet');
      await until('too many', async () => (await ignored('too-many')) === 16);
      await logon.shows({ sheet: 'ready' });
      expect(logon.started.length).toBeLessThanOrEqual(4);
    });
  });

  describe('that cannot be had', () => {
    it('damaged at its first bytes: told before a machine has it, marked, and not tried again', async () => {
      const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
      await apps.spoilChunk(sheet, 0);
      await apps.assign('sheet');
      await apps.assign('notes');
      const logon = await apps.logOn();
      await logon.shows({ notes: 'ready', sheet: 'failed damaged' });
      await logon.has(notes);
      expect(apps.merges.map(({ exportName }) => exportName)).not.toContain(sheet.versionId);
      await until('marked', async () => {
        const { versions } = await apps.host.app.get(AppCatalogue).view('sheet');
        return versions[0]?.state === 'damaged' && versions[0].failure?.includes('damaged');
      });
      expect((await audits('damaged')).length).toBeGreaterThan(0);
      expect(await apps.metric('goldleaf_app_failures_total{app="sheet",reason="damaged"}')).toBeGreaterThan(0);
      const fetched = await apps.metric('goldleaf_volume_read_bytes_total{source="store"}');
      const next = await apps.logOn(person('bob'));
      await next.shows({ notes: 'ready', sheet: 'failed damaged' });
      await next.has(notes);
      expect(await apps.metric('goldleaf_volume_read_bytes_total{source="store"}')).toBe(fetched);
    });

    it('damaged where only the guest reads', async () => {
      const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
      await apps.spoilChunk(sheet, 3);
      await apps.assign('sheet');
      await apps.assign('notes');
      const logon = await apps.logOn();
      await logon.shows({ notes: 'ready', sheet: 'failed damaged' });
      await logon.has(notes);
      expect(await apps.metric('goldleaf_nbd_errors_total{command="read",error="EIO"}')).toBeGreaterThan(0);
    });

    it.each(['change', 'remove'] as const)('damaged while it runs (%s): taken from all who have it', async (how) => {
      const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
      await apps.assign('sheet');
      await apps.assign('notes');
      apps.guestsReadAll = false;
      const [logon, other] = [await apps.logOn(), await apps.logOn(person('bob'))];
      for (const each of [logon, other]) await each.has(sheet, notes);
      await apps.spoilChunk(sheet, 4, how);
      expect(await logon.read(sheet)).toBeUndefined();
      for (const each of [logon, other]) {
        await each.shows({ notes: 'ready', sheet: 'failed damaged' });
        await each.has(notes);
      }
      expect(await logon.read(notes)).toBe(sha256Of(notes));
      nothingTorn();
    });

    it('a store that is gone for a while is not damage', async () => {
      const sheet = await apps.publish('sheet');
      await apps.assign('sheet');
      apps.guestsReadAll = false;
      const logon = await apps.logOn();
      await logon.shows({ sheet: 'ready' });
      await apps.hideStore();
      expect(await logon.read(sheet)).toBeUndefined();
      const second = await apps.logOn(person('bob'));
      await second.shows({ sheet: 'ready' });
      await apps.showStore();
      expect(await logon.read(sheet)).toBe(sha256Of(sheet));
      await logon.shows({ sheet: 'ready' });
    });

    it('missing in the store', async () => {
      const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
      await apps.spoilObject(`manifests/${sheet.manifest.volumeId}`, 'remove');
      await apps.assign('sheet');
      await apps.assign('notes');
      const logon = await apps.logOn();
      await logon.shows({ notes: 'ready', sheet: 'failed missing' });
      await logon.has(notes);
    });

    it('with a damaged manifest', async () => {
      const sheet = await apps.publish('sheet');
      await apps.spoilObject(`manifests/${sheet.manifest.volumeId}`, 'change');
      await apps.assign('sheet');
      const logon = await apps.logOn();
      await logon.shows({ sheet: 'failed damaged' });
      await until('marked', async () => {
        const { versions } = await apps.host.app.get(AppCatalogue).view('sheet');
        return versions[0]?.state === 'damaged';
      });
    });

    it('not signed by a trusted key, or signed as another: never served', async () => {
      const key = await loadOrCreateSigningKey(join(apps.fleet.stateDir, 'foreign.pem'));
      await apps.publish('foreign', { key });
      const notes = await apps.publish('notes');
      const posing = await apps.publish('posing');
      await apps.rows(
        `UPDATE app_versions SET (payload, signature, key_id) = (
          SELECT payload, signature, key_id FROM app_versions WHERE id = $2) WHERE id = $1`,
        [posing.versionId, notes.versionId],
      );
      for (const name of ['foreign', 'notes', 'posing']) await apps.assign(name);
      await apps.assign('foreign', { mode: 'on-demand' });
      const logon = await apps.logOn();
      await logon.shows({ foreign: 'failed untrusted', notes: 'ready', posing: 'failed untrusted' });
      await logon.has(notes);
      expect([...logon.machine.apps.onDemand]).toEqual([]);
    });

    it('withdrawn: who has it keeps it, nobody gets it any more', async () => {
      const sheet = await apps.publish('sheet');
      await apps.assign('sheet');
      const logon = await apps.logOn();
      await logon.shows({ sheet: 'ready' });
      await apps.host.app.get(AppCatalogue).updateVersion('sheet', 1, { state: 'withdrawn' }, 'ivan');
      await apps.host.app
        .get(JobDispatcher)
        .enqueue('desktop.apps', { desktopId: logon.desktopId }, { host: 'host-1' });
      await logon.has(sheet);
      await apps.host.app.get(SessionService).recycle(alice, logon.sessionId);
      const again = await apps.fleet.session(
        logon.sessionId,
        'with a clean desktop',
        ({ state, desktop }) => state === 'ready' && desktop?.id !== logon.desktopId,
      );
      expect(again.apps).toMatchObject([{ state: 'failed', reason: 'withdrawn' }]);
      const found = `SELECT 1 FROM session_apps WHERE desktop_id = $1 AND reason = 'withdrawn'`;
      await until('seen to', async () => (await apps.rows(found, [again.desktop?.id])).length > 0);
      expect(apps.machines.machines.get(again.desktop?.id ?? '')?.volumes.size).toBe(0);
    });

    it('not what its guest can use', async () => {
      const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
      apps.unfit.add(sheet.versionId);
      await apps.assign('sheet');
      await apps.assign('notes');
      const logon = await apps.logOn();
      await logon.shows({ notes: 'ready', sheet: 'failed incompatible' });
      await logon.has(notes);
    });

    it('slow: the others come, and choosing it later brings it', async () => {
      // So long that it is seen while it is on its way.
      await beginAgain({ attachTimeoutMs: 12_000, readTimeoutMs: 12_000 });
      const notes = await apps.publish('notes');
      await apps.assign('notes');
      // In the cache from now on.
      await (await apps.logOn(person('bob'))).shows({ notes: 'ready' });
      const sheet = await apps.publish('sheet');
      await apps.assign('sheet');
      const letGo = await apps.holdStore();
      const logon = await apps.logOn();
      await logon.shows({ notes: 'ready', sheet: 'attaching' });
      await logon.shows({ notes: 'ready', sheet: 'failed too-slow' });
      await logon.has(notes);
      letGo();
      await apps.host.app.get(AppStarts).start('alice', logon.sessionId, 'sheet');
      await logon.has(notes, sheet);
      await until('started', () => logon.started.includes('sheet'));
      await logon.shows({ notes: 'ready', sheet: 'ready' });
    });

    it('a guest that does not answer: told, and nothing stays attached', async () => {
      await apps.publish('sheet');
      await apps.assign('sheet');
      apps.machines.hangNext('runInGuest');
      const logon = await apps.logOn();
      await logon.shows({ sheet: 'failed too-slow' });
      await logon.has();
    });

    it('a machine that does not take it: told, and the export goes', async () => {
      await apps.publish('sheet');
      await apps.assign('sheet');
      apps.machines.failNext('failed', 'attachVolume');
      const logon = await apps.logOn();
      await logon.shows({ sheet: 'failed failed' });
      expect(await apps.metric('goldleaf_apps_attached')).toBe(0);
    });
  });

  describe('of desktops that go', () => {
    it('in the middle: nothing is left, and the next desktop has them', async () => {
      const sheet = await apps.publish('sheet');
      await apps.assign('sheet');
      apps.machines.hangNext('attachVolume');
      const hangs = jest.spyOn(apps.machines, 'takeHang');
      const logon = await apps.logOn();
      await until('it hangs', () => hangs.mock.results.some(({ value }) => value === true));
      expect(serves()).toEqual([logon.desktopId]);
      await apps.host.app.get(SessionService).recycle(alice, logon.sessionId);
      const again = await apps.fleet.session(
        logon.sessionId,
        'with a clean desktop',
        ({ state, desktop }) => state === 'ready' && desktop?.id !== logon.desktopId,
      );
      await until('served to the new one only', () => serves().join() === again.desktop?.id);
      const machine = apps.machines.machines.get(again.desktop?.id ?? '');
      await until('attached', () => machine?.apps.merged.get('sheet') === sheet.versionId);
      expect(await apps.rows(`SELECT 1 FROM session_apps WHERE state = 'failed'`)).toEqual([]);
      await apps.host.app.get(SessionService).logOff(alice, logon.sessionId);
      await until('served to nobody', () => serves().length === 0);
    });
  });

  describe('over the end of the provisioner', () => {
    it('are served again on the same sockets before anything is done; nobody notices', async () => {
      const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
      await apps.assign('sheet');
      await apps.assign('notes', { mode: 'on-demand' });
      const logon = await apps.logOn();
      await logon.shows({ notes: 'on-demand', sheet: 'ready' });
      await logon.has(sheet);
      const { tellings } = apps;
      await apps.stopHost();
      expect(await logon.read(sheet)).toBeUndefined();
      const report = HostRegistry.prototype.report;
      // The first thing that a provisioner does when it has served again what machines read.
      const reports = jest.spyOn(HostRegistry.prototype, 'report').mockImplementationOnce(async function (
        this: HostRegistry,
        ...args
      ) {
        await until('served again', async () => (await logon.read(sheet)) === sha256Of(sheet));
        return report.apply(this, args);
      });
      await apps.startHost();
      expect(reports).toHaveBeenCalled();
      reports.mockRestore();
      expect(apps.tellings).toBe(tellings);
      logon.choose('notes');
      await logon.has(sheet, notes);
      nothingTorn();
    });

    it('what had changed meanwhile, and what was cut short, is completed', async () => {
      const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
      await apps.assign('sheet');
      const logon = await apps.logOn();
      await logon.has(sheet);
      apps.machines.hangNext('detachVolume');
      await apps.assign('notes', { now: true });
      await apps.withdraw('sheet', true);
      await until('let go of by the guest', () => !logon.machine.apps.merged.has('sheet'));
      await apps.stopHost();
      await apps.startHost();
      await logon.has(notes);
      await logon.shows({ notes: 'ready' });
      nothingTorn();
    });
  });
});
