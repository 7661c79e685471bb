import { BuildRoot } from './build-root.js';

/** For a test that kills it: holds the root of a build, runs a program in it, and says when that runs. */
const [rootDiskPath = '', dir = '', logPath = ''] = process.argv.slice(2);
const root = await BuildRoot.open({ rootDiskPath, dir, logPath });
await root.run('sh', ['-c', 'echo running; exec sleep 987654'], {
  onLine: (line) => process.stdout.write(`${line}\n`),
});
