import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import request from 'supertest';
import { type DesktopView, desktopViewSchema, poolProfileSchema, type SessionProfileState } from '#libs/contracts';
import { JobDispatcher } from '#libs/jobs';
import { SessionProfiles } from '#libs/sessions';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

type Headers = { authorization: string };

describe('POST /desktops/:id/give-up-profile', () => {
  let broker: BrokerFixture;
  let ivan: Headers;
  let alice: Headers;
  let desktopId = '';
  let sessionId = '';
  const destroyed: string[] = [];

  beforeAll(async () => {
    broker = await startBroker({ profile: poolProfileSchema.parse({ context: 'work' }) });
    jest.spyOn(broker.app.get(JobDispatcher), 'enqueue').mockImplementation(async (job, payload, options) => {
      if (job === 'desktop.destroy' && 'desktopId' in payload) destroyed.push(`${payload.desktopId} ${options?.host}`);
    });
    ivan = (await broker.signIn('ivan')).headers;
    alice = (await broker.signIn('alice')).headers;
  });
  afterAll(() => broker?.destroy());
  beforeEach(async () => {
    await broker.addSpares(1);
    const path = '/api/v1/sessions';
    const { body } = await request(broker.url).post(path).set(alice).send({ pool: 'call-center' }).expect(202);
    desktopId = body.desktop.id;
    sessionId = body.id;
  });

  const giveUp = (id = desktopId, headers: Partial<Headers> = ivan) =>
    request(broker.url).post(`/api/v1/desktops/${id}/give-up-profile`).set(headers);
  const logOff = () => request(broker.url).delete(`/api/v1/sessions/${sessionId}`).set(alice).expect(202);
  const shown = async (): Promise<DesktopView | undefined> => {
    const { body } = await request(broker.url).get('/api/v1/desktops').set(ivan).expect(200);
    return desktopViewSchema
      .array()
      .parse(body)
      .find(({ id }) => id === desktopId);
  };
  /** As its provisioner tells of it. */
  const report = (state: SessionProfileState, detail?: string) =>
    broker.app.get(SessionProfiles).report(desktopId, { state, ...(detail !== undefined && { detail }) });
  const givenUp = async () => {
    const { body } = await request(broker.url).get('/api/v1/audit?action=profile-given-up').set(ivan).expect(200);
    return body.entries.filter(({ subject }: { subject: string }) => subject === `desktop:${desktopId}`);
  };

  it('is for IT only, and for desktops that exist', async () => {
    await logOff();
    await report('closing', 'a part of it is lost');
    await giveUp(desktopId, {}).expect(401);
    await giveUp(desktopId, alice).expect(403);
    await giveUp(randomUUID()).expect(404);
    await giveUp('none').expect(404);
    expect(await broker.app.get(SessionProfiles).wanted(desktopId)).toMatchObject({ isGivenUp: false });
    expect(await givenUp()).toEqual([]);
  });

  it('lets a desktop go whose profile cannot be saved, once, and says who wanted it', async () => {
    await logOff();
    await report('closing');
    expect(await shown()).toMatchObject({ state: 'recycling', profileProblem: null });
    await report('closing', 'a part of it is lost');
    expect(await shown()).toMatchObject({ profileProblem: 'a part of it is lost', username: 'alice' });
    destroyed.length = 0;
    const { body } = await giveUp().expect(202);
    expect(body).toMatchObject({ id: desktopId, state: 'recycling' });
    expect(await broker.app.get(SessionProfiles).wanted(desktopId)).toMatchObject({ isGivenUp: true });
    await giveUp().expect(202);
    expect(destroyed).toEqual(Array(2).fill(`${desktopId} host-1`));
    const details = { user: 'alice', context: 'work', detail: 'a part of it is lost' };
    expect(await givenUp()).toEqual([expect.objectContaining({ actor: 'ivan', details })]);
  });

  it('loses nothing of a desktop that is not on its way out, and says what to do', async () => {
    const refusal = async () => {
      const { body } = await giveUp().expect(409);
      expect(await broker.app.get(SessionProfiles).wanted(desktopId)).toMatchObject({ isGivenUp: false });
      return body.detail;
    };
    await report('ready');
    expect(await refusal()).toContain('Somebody has this desktop');
    await logOff();
    expect(await refusal()).toContain('goldleaf host fence');
    await report('closed');
    expect(await refusal()).toContain('is given back');
    await broker.query(`UPDATE desktops SET state = 'deleted' WHERE id = $1`, [desktopId]);
    await giveUp().expect(404);
  });
});
