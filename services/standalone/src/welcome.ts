import type { AppConfig } from '#libs/config';
import { demoGroups, demoUsers } from '#libs/directory';

const columns = ['name', 'password', 'role'] as const;

const rolesOf = (username: string): string[] =>
  demoGroups.filter(({ users }) => users.includes(username)).map(({ name }) => name);

/** What is printed when all is ready: the address, who can sign in, and how to stop. */
export function welcome(config: Pick<AppConfig, 'host' | 'port'>, withDemoDirectory: boolean): string[] {
  const anyAddress = ['0.0.0.0', '::'].includes(config.host);
  const host = anyAddress ? '127.0.0.1' : config.host.includes(':') ? `[${config.host}]` : config.host;
  const lines = ['', `  Ready at  http://${host}:${config.port}`, ''];
  if (withDemoDirectory) {
    const rows = demoUsers.map(({ username, password }) => [username, password, rolesOf(username).join(', ')]);
    const widths = columns.map((title, index) =>
      Math.max(title.length, ...rows.map((row) => (row[index] ?? '').length)),
    );
    const format = (row: readonly string[]) =>
      `    ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('   ')}`.trimEnd();
    lines.push('  Demo accounts', format(columns), ...rows.map(format), '');
  }
  return [...lines, '  Ctrl-C stops everything.', ''];
}
