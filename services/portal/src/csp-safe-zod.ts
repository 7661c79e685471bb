import { config } from 'zod';

// zod compiles object parsers with `new Function` where it may. The page's Content-Security-Policy forbids that, and
// even the attempt is reported as a violation. Imported first, before any schema is made.
config({ jitless: true });
