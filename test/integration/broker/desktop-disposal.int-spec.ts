import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { DesktopView } from '#libs/contracts';
import { DesktopLifecycle } from '#libs/desktops';
import { FleetStore } from '#libs/fleet';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

describe('DELETE /desktops', () => {
  let broker: BrokerFixture;
  let ivan: { authorization: string };
  let alice: { authorization: string };

  beforeAll(async () => {
    broker = await startBroker();
    ivan = (await broker.signIn('ivan')).headers;
    alice = (await broker.signIn('alice')).headers;
    await broker.addSpares(3);
  });
  afterAll(() => broker?.destroy());

  const discard = (id: string, headers: Partial<typeof ivan>) =>
    request(broker.url).delete(`/api/v1/desktops/${id}`).set(headers);
  const desktops = async (): Promise<DesktopView[]> =>
    (await request(broker.url).get('/api/v1/desktops').set(ivan).expect(200)).body;
  const spare = async () => (await desktops()).find(({ state }) => state === 'available')?.id ?? '';

  it('is for IT only, and for desktops that exist', async () => {
    await discard(await spare(), {}).expect(401);
    await discard(await spare(), alice).expect(403);
    await discard(randomUUID(), ivan).expect(404);
    await discard('none', ivan).expect(404);
    expect((await desktops()).filter(({ state }) => state === 'available')).toHaveLength(3);
  });

  it('gives up a spare, and says who wanted it', async () => {
    const id = await spare();
    const { body } = await discard(id, ivan).expect(202);
    expect(body).toMatchObject({ id, state: 'recycling', reason: 'discarded by ivan' });
  });

  it('never takes a desktop from the person who has it', async () => {
    const path = '/api/v1/sessions';
    const { body } = await request(broker.url).post(path).set(alice).send({ pool: 'call-center' }).expect(202);
    const { body: problem } = await discard(body.desktop.id, ivan).expect(409);
    expect(problem.code).toBe('conflict');
    expect((await desktops()).find(({ id }) => id === body.desktop.id)?.state).toBe('assigned');
  });

  it('orders the destruction of one in quarantine again', async () => {
    const id = await spare();
    const [desktop] = await broker.app.get(FleetStore, { strict: false }).desktops([id]);
    if (!desktop) throw new Error('no desktop');
    const lifecycle = broker.app.get(DesktopLifecycle, { strict: false });
    await lifecycle.quarantine(desktop, 'could not be destroyed: test');
    const { body } = await discard(id, ivan).expect(202);
    expect(body.state).toBe('quarantined');
    const { body: audit } = await request(broker.url).get('/api/v1/audit?action=desktop-discarded').set(ivan);
    expect(audit.entries[0]).toMatchObject({
      actor: 'ivan',
      subject: `desktop:${id}`,
      details: { was: 'quarantined' },
    });
    await lifecycle.becomeDeleted(desktop);
    await discard(id, ivan).expect(404);
  });
});
