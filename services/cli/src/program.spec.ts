import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram, type GlobalOptions } from './program.js';

/** Parses without running. */
async function parse(...args: string[]): Promise<{ ran: boolean; options: GlobalOptions }> {
  let options: GlobalOptions | undefined;
  const program = createProgram(
    async (_work, given) => {
      options = given;
    },
    { writeOut: () => undefined, writeErr: () => undefined },
  );
  await program.parseAsync(args, { from: 'user' });
  return { ran: options !== undefined, options: options ?? {} };
}

const leaves = (command: Command, path: string): string[] =>
  command.commands.length === 0
    ? [path]
    : command.commands.flatMap((each) => leaves(each, `${path} ${each.name()}`.trim()));

describe('the command line', () => {
  it('has these commands, each with words about it', () => {
    const program = createProgram(async () => undefined, {});
    expect(leaves(program, '')).toEqual([
      ...['login', 'logout'],
      ...['list', 'show', 'build', 'publish', 'assign', 'withdraw', 'promote'].map((name) => `app ${name}`),
      ...['list', 'build', 'import', 'publish', 'rollback'].map((name) => `image ${name}`),
      ...[
        'pool list',
        'pool profile',
        'desktop list',
        'desktop give-up-profile',
        'host list',
        'host fence',
        'host unfence',
      ],
      ...['list', 'versions', 'restore', 'look', 'take', 'delete', 'limits', 'limit'].map((name) => `profile ${name}`),
      ...['usage', 'fsck', 'gc', 'replicate'].map((name) => `store ${name}`),
      ...['create', 'show', 'trust'].map((name) => `key ${name}`),
    ]);
    const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
    for (const command of all(program)) expect(command.description()).not.toBe('');
  });

  it('takes --json and --url anywhere', async () => {
    expect(await parse('app', 'list', '--json', '--url', 'http://x')).toEqual({
      ran: true,
      options: { json: true, url: 'http://x' },
    });
    expect(await parse('--json', 'store', 'gc', '--dry-run')).toEqual({ ran: true, options: { json: true } });
  });

  it.each([
    [['login']],
    [['login', '--username', 'x', '--password', 'y']],
    [['app', 'assign', 'notes', 'role', '--mode', 'sometimes']],
    [['app', 'assign', 'notes', 'role', '--version', '0']],
    [['app', 'promote', 'notes', '1.5']],
    [['app', 'build', 'x', '--image', 'a', '--image-dir', 'b']],
    [['app', 'list', 'everything']],
    [['store', 'gc', '--dryrun']],
    [['store', 'replicate']],
    [['profile', 'restore', 'alice']],
    [['profile', 'restore', 'alice', 'newest']],
    [['profile', 'look', 'alice']],
    [['profile', 'take', 'alice', '1']],
    [['profile', 'limit', 'role', 'huge']],
    [['profile', 'limit', 'role', '0G']],
    [['profile', 'list', 'alice', '--user', 'bob']],
  ])('refuses %j', async (args) => {
    await expect(parse(...args)).rejects.toMatchObject({ exitCode: 1, name: 'CommanderError' });
  });
});
