import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DesktopView, poolProfileSchema } from '#libs/contracts';
import { SessionProfiles } from '#libs/sessions';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

let broker: BrokerFixture;
let cli: CliFixture;

beforeAll(async () => {
  cli = await CliFixture.make();
  broker = await startBroker({ profile: poolProfileSchema.parse({ context: 'work' }) });
  await cli.signIn(broker.url);
});
afterAll(async () => {
  await broker?.destroy();
  await cli?.destroy();
});

describe('goldleaf desktop', () => {
  it('shows which profile cannot be saved, and gives it up only when that is meant', async () => {
    expect((await cli.run(['desktop', 'list'])).stdout).toBe('There are no desktops\n');
    const { headers } = await broker.signIn('alice');
    await broker.addSpares(1);
    const response = await fetch(`${broker.url}/api/v1/sessions`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ pool: 'call-center' }),
    });
    const session = (await response.json()) as { id: string; desktop: { id: string } };
    const { id } = session.desktop;
    const giveUp = ['desktop', 'give-up-profile', id];
    const early = await cli.json<unknown>([...giveUp, '--yes']);
    expect(early).toMatchObject({ exitCode: 1, document: { error: { code: 'conflict' } } });

    await fetch(`${broker.url}/api/v1/sessions/${session.id}`, { method: 'DELETE', headers });
    await broker.app.get(SessionProfiles).report(id, { state: 'closing', detail: 'a part of it is lost' });
    const row = new RegExp(`^ID .*PROBLEM WITH ITS PROFILE\n${id} +call-center +recycling .*alice +host-1 +a part of`);
    expect((await cli.run(['desktop', 'list'])).stdout).toMatch(row);
    const asked = await cli.run(giveUp);
    expect(asked).toMatchObject({ exitCode: 2, stdout: '' });
    expect(asked.stderr).toContain('Add --yes to do it');
    expect(await broker.app.get(SessionProfiles).wanted(id)).toMatchObject({ isGivenUp: false });
    const given = await cli.json<DesktopView>([...giveUp, '--yes']);
    expect(given).toMatchObject({ exitCode: 0, document: { id, state: 'recycling' } });
    expect(await broker.app.get(SessionProfiles).wanted(id)).toMatchObject({ isGivenUp: true });
    expect((await cli.run([...giveUp, '--yes'])).stdout).toContain("alice's profile is free again");
  });
});
