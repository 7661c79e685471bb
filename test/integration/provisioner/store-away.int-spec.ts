import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '#libs/testing';
import { DirectoryObjectStore } from '#libs/volumes';
import { AppsFixture, person, sha256Of } from './apps-fixture.js';

describe('a store that does not answer', () => {
  let apps: AppsFixture;
  const put = DirectoryObjectStore.prototype.put;
  const remove = DirectoryObjectStore.prototype.delete;
  let letGo: () => void;

  beforeEach(async () => {
    apps = await AppsFixture.create({ retryAfterMs: [] });
  });
  afterEach(async () => {
    letGo?.();
    await apps?.destroy();
  });

  /** From now on, as on a share that hangs: neither an answer nor an end. */
  const hang = (): void => {
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    DirectoryObjectStore.prototype.put = async function (...args) {
      await held;
      return put.apply(this, args);
    };
    DirectoryObjectStore.prototype.delete = async function (...args) {
      await held;
      return remove.apply(this, args);
    };
  };
  const answer = (): void => {
    DirectoryObjectStore.prototype.put = put;
    DirectoryObjectStore.prototype.delete = remove;
    letGo();
  };

  it('holds up neither the start of a provisioner nor logons, and applications are served when it answers', async () => {
    const [sheet, notes] = [await apps.publish('sheet'), await apps.publish('notes')];
    await apps.assign('sheet');
    await apps.assign('notes', { mode: 'on-demand' });
    const logon = await apps.logOn();
    await logon.shows({ notes: 'on-demand', sheet: 'ready' });
    await apps.stopHost();
    hang();
    await apps.startHost({ attachTimeoutMs: 5_000 });
    const other = await apps.logOn(person('bob'));
    await other.shows({ notes: 'on-demand', sheet: 'failed too-slow' });
    // A round for a desktop whose volumes are not served again yet ends, too.
    logon.choose('notes');
    await logon.shows({ notes: 'failed too-slow', sheet: 'ready' });
    await apps.fleet.settled(2);
    answer();
    await until('served again', async () => (await logon.read(sheet)) === sha256Of(sheet));
    logon.choose('notes');
    await logon.has(sheet, notes);
    expect(apps.machines.tornVolumes).toEqual([]);
  });
});
