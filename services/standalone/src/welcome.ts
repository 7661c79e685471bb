import type { AppConfig } from '#libs/config';
import { demoGroups, demoUsers } from '#libs/directory';

const columns = ['name', 'password', 'role'] as const;

const rolesOf = (username: string): string[] =>
  demoGroups.filter(({ users }) => users.includes(username)).map(({ name }) => name);

/**
 * What is printed when all is ready: the addresses, who can sign in, which applications there are, and how to stop.
 * @param apps titles of published applications
 */
export function welcome(
  config: Pick<AppConfig, 'host' | 'port'>,
  withDemoDirectory: boolean,
  apps: readonly string[],
): string[] {
  const anyAddress = ['0.0.0.0', '::'].includes(config.host);
  const host = anyAddress ? '127.0.0.1' : config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `http://${host}:${config.port}`;
  const lines = ['', `  Ready at  ${url}`, `  For IT    ${url}/console`, ''];
  if (withDemoDirectory) {
    const rows = demoUsers.map(({ username, password }) => [username, password, rolesOf(username).join(', ')]);
    const widths = columns.map((title, index) =>
      Math.max(title.length, ...rows.map((row) => (row[index] ?? '').length)),
    );
    const format = (row: readonly string[]) =>
      `    ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('   ')}`.trimEnd();
    lines.push('  Demo accounts', format(columns), ...rows.map(format), '');
  }
  if (apps.length > 0) lines.push(`  Applications: ${apps.join(', ')}`, '');
  return [...lines, '  Ctrl-C stops everything.', ''];
}
