/** `npm run build`: builds the services and the portal, where something changed. */
import { ensureBuild } from './build.mjs';
import { runToEnd, step } from './progress.mjs';

await runToEnd(() => step('Build', async () => (await ensureBuild()) ?? 'nothing changed'));
