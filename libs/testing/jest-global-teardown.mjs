/** Ends the servers of the jest run. They also end by themselves when jest is killed: their standard input closes. */
export default async function globalTeardown() {
  const servers = globalThis.goldleafTestServers;
  if (!servers || servers.exitCode !== null) return;
  const ended = new Promise((resolve) => servers.once('exit', resolve));
  servers.stdin.end();
  await ended;
}
