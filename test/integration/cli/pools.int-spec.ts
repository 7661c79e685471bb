import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { poolProfileSchema } from '#libs/contracts';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

let broker: BrokerFixture;
let cli: CliFixture;

beforeAll(async () => {
  cli = await CliFixture.make();
  broker = await startBroker();
  await cli.signIn(broker.url);
});
afterAll(async () => {
  await broker?.destroy();
  await cli?.destroy();
});

describe('goldleaf pool profile', () => {
  const shown = async () => (await cli.json<unknown>(['pool', 'profile', 'call-center'])).document;
  const set = async (content: string) => {
    const file = join(cli.folder, 'policy.json');
    await writeFile(file, content);
    return cli.json<unknown>(['pool', 'profile', 'call-center', '--file', file]);
  };

  it('shows what a pool does with profiles, and has it do what a file says', async () => {
    expect((await cli.run(['pool', 'profile', 'call-center'])).stdout).toBe('null\n');
    const policy = poolProfileSchema.parse({ context: 'work', atLogOff: 'ask' });
    expect(await set('{"context": "work", "atLogOff": "ask"}')).toMatchObject({ exitCode: 0, document: policy });
    // What it prints is what it takes.
    const printed = (await cli.run(['pool', 'profile', 'call-center'])).stdout;
    expect(await set('null')).toMatchObject({ exitCode: 0, document: null });
    expect(await shown()).toBeNull();
    await set(printed);
    expect(await shown()).toEqual(policy);
  });

  it('changes nothing with what is no policy, and says why', async () => {
    const before = await shown();
    const wrong = await set('{"context": "work", "atLogOff": "burn"}');
    expect(wrong).toMatchObject({ exitCode: 1, document: { error: { code: 'invalid-file' } } });
    expect(JSON.stringify(wrong.document)).toContain('atLogOff');
    expect(await set('{')).toMatchObject({ exitCode: 1, document: { error: { code: 'invalid-file' } } });
    const missing = await cli.json<unknown>(['pool', 'profile', 'call-center', '--file', join(cli.folder, 'none')]);
    expect(missing).toMatchObject({ exitCode: 1, document: { error: { code: 'unreadable-file' } } });
    const nowhere = await cli.json<unknown>(['pool', 'profile', 'nowhere']);
    expect(nowhere).toMatchObject({ exitCode: 1, document: { error: { code: 'not-found' } } });
    expect(await shown()).toEqual(before);
  });
});
