import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { type ImageVersionView, imageVersionViewSchema } from '#libs/contracts';
import { ImageCatalogue } from '#libs/images';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

describe('golden images over the API', () => {
  let broker: BrokerFixture;
  let headers: Record<string, string>;

  beforeAll(async () => {
    broker = await startBroker();
    ({ headers } = await broker.signIn('ivan'));
    for (const location of ['b', 'c']) await publish(location);
  });
  afterAll(() => broker?.destroy());

  const publish = (location: string) =>
    broker.app
      .get(ImageCatalogue)
      .publishContent({ name: 'demo', displayName: 'Demo', digest: location.repeat(64), location, sizeBytes: 1 });
  const post = (path: string, body?: object) =>
    request(broker.url)
      .post(`/api/v1/images/${path}`)
      .set(headers)
      .send(body ?? {});
  const versions = async (): Promise<ImageVersionView[]> => {
    const { body } = await request(broker.url).get('/api/v1/images/demo/versions').set(headers);
    return imageVersionViewSchema.array().parse(body);
  };
  const states = async () => (await versions()).map(({ number, state }) => `${number} ${state}`);
  const audit = (action: string) =>
    broker.query<{ details: object; actor: string }>(
      'SELECT actor, details FROM audit_entries WHERE action = $1 ORDER BY sequence DESC LIMIT 1',
      [action],
    );

  it('has one version serve, rolls back to the one before, and never forward', async () => {
    expect(await states()).toEqual(['3 published', '2 retired', '1 retired']);
    const back = await post('demo/versions/3/rollback');
    expect(back.status).toBe(202);
    expect(imageVersionViewSchema.parse(back.body)).toMatchObject({ number: 2, state: 'published' });
    expect(await audit('image-rolled-back')).toMatchObject([{ actor: 'ivan', details: { version: 2, from: 3 } }]);
    const twice = await post('demo/versions/3/rollback');
    expect(twice.status).toBe(409);
    expect(twice.headers['content-type']).toContain('application/problem+json');
    expect(twice.body.code).toBe('conflict');
    expect(await states()).toEqual(['3 retired', '2 published', '1 retired']);
    expect((await post('demo/versions/1/rollback')).body).toMatchObject({ number: 1, state: 'published' });
    // Nothing is earlier than the first.
    expect((await post('demo/versions/1/rollback')).body.code).toBe('conflict');
  });

  it('puts a version to use that served before, and says so in the audit', async () => {
    const forward = await post('demo/versions/3/publish');
    expect(forward.body).toMatchObject({ number: 3, state: 'published', publishedAt: expect.any(String) });
    expect((await post('demo/versions/3/publish')).status).toBe(202);
    expect(await audit('image-published')).toMatchObject([{ actor: 'ivan', details: { version: 3 } }]);
    expect(await states()).toEqual(['3 published', '2 retired', '1 retired']);
  });

  it('waits for a host with a version of the store that no host has, and tries a failed one again', async () => {
    await broker.query(`UPDATE image_versions SET stored = '{}' WHERE number = 2`);
    expect((await post('demo/versions/2/publish')).body.state).toBe('validating');
    await broker.query(`UPDATE image_versions SET state = 'failed', failure = 'why' WHERE number = 2`);
    expect((await versions())[1]).toMatchObject({ number: 2, state: 'failed', failure: 'why' });
    expect((await post('demo/versions/2/publish')).body).toMatchObject({ state: 'validating', failure: null });
    expect((await states())[0]).toBe('3 published');
    await broker.query(
      `INSERT INTO image_copies (host, image_version_id, is_ready)
       SELECT 'host-1', id, true FROM image_versions WHERE number = 2`,
    );
    await broker.query(`UPDATE image_versions SET state = 'retired' WHERE number = 2`);
    expect((await post('demo/versions/2/publish')).body).toMatchObject({
      state: 'published',
      hosts: [{ name: 'host-1', ready: true, failure: null }],
    });
  });

  it('imports what a host has built, once', async () => {
    const image = {
      displayName: 'Office',
      digest: 'd'.repeat(64),
      host: 'host-1',
      location: 'office/1',
      sizeBytes: 10,
    };
    const first = await post('office/versions', image);
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({ image: 'office', number: 1, state: 'importing', storedBytes: null, hosts: [] });
    expect((await post('office/versions', image)).body.number).toBe(1);
    const nowhere = await post('other/versions', { ...image, host: 'nowhere' });
    expect([nowhere.status, nowhere.body.code]).toEqual([404, 'not-found']);
    for (const location of ['../other', '/etc', 'a/../b', '.hidden']) {
      expect((await post('office/versions', { ...image, location })).body.code).toBe('invalid-request');
    }
    expect((await post('demo/versions/9/publish')).body.code).toBe('not-found');
    expect((await post('none/versions/1/rollback')).body.code).toBe('not-found');
    expect((await post('demo/versions/x/publish')).body.code).toBe('not-found');
  });

  it('is for IT only', async () => {
    const alice = await broker.signIn('alice');
    for (const path of ['demo/versions/1/publish', 'demo/versions/1/rollback', 'demo/versions']) {
      const refused = await request(broker.url).post(`/api/v1/images/${path}`).set(alice.headers).send({});
      expect([path, refused.status, refused.body.code]).toEqual([path, 403, 'forbidden']);
    }
  });
});
