import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { poolProfileSchema } from '#libs/contracts';
import { ProfileLeases, ProfileVolumes } from '#libs/profiles';
import { ProfileLooks, SessionService } from '#libs/sessions';
import { until } from '#libs/testing';
import { FleetFixture } from './fleet-fixture.js';

const alice = { username: 'alice', roles: ['call-center'] };
const first = { context: 'work', number: 1 };

describe('a look into an older version of a profile', () => {
  let fleet: FleetFixture;

  beforeAll(async () => {
    fleet = await FleetFixture.create();
    await fleet.addHost('host-1');
    await fleet.publish();
    await fleet.addPool({ profile: poolProfileSchema.parse({ context: 'work' }) });
    await fleet.settled(2);
    const service = fleet.app.get(SessionService);
    const { id } = await service.open(alice, { pool: 'call-center' });
    await fleet.session(id, 'ready', ({ state }) => state === 'ready');
  });
  afterAll(() => fleet?.destroy());

  const looks = () => fleet.app.get(ProfileLooks);

  it('is done by a provisioner with the keys and the store that it has, while the person works', async () => {
    const whose = { username: 'alice', context: 'work' };
    const volume = await fleet.app.get(ProfileVolumes, { strict: false }).find(whose);
    expect(await fleet.app.get(ProfileLeases, { strict: false }).holder(volume?.id ?? '')).not.toBeNull();

    const { id } = await looks().begin('alice', first, { path: '', kind: 'folder' }, 'ivan');
    const found = await until('an answer', async () => {
      const view = await looks().view('alice', first, id, 'ivan');
      return view.state === 'waiting' ? undefined : view;
    });
    // As far as machines in memory go nobody has written anything yet.
    expect(found).toMatchObject({ state: 'done', entries: [], isComplete: true });

    const own = await looks().beginOwn(alice, first, { path: 'letter', kind: 'file' });
    const none = await until('an answer', async () => {
      const view = await looks().viewOwn(alice, first, own.id);
      return view.state === 'waiting' ? undefined : view;
    });
    expect(none).toMatchObject({ state: 'failed', failure: 'not-found' });
  });

  it('is forgotten after ten minutes', async () => {
    const rows = () => fleet.database.dataSource.query('SELECT id FROM profile_lookups');
    const { id } = await looks().begin('alice', first, { path: '', kind: 'folder' }, 'ivan');
    await fleet.database.dataSource.query(
      `UPDATE profile_lookups SET created_at = now() - interval '11 minutes' WHERE id = $1`,
      [id],
    );
    await until('it is gone', async () => !(await rows()).some((row: { id: string }) => row.id === id));
  });
});
