import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeDiscarding } from './discarding-conformance.js';
import { describeHolding } from './holding-conformance.js';
import { describeImporting } from './importing-conformance.js';
import type { ProfileLeasesSetup } from './leases-world-conformance.js';
import { describeRestoring } from './restoring-conformance.js';
import { describeWriting } from './writing-conformance.js';

export type { ProfileLeasesSetup } from './leases-world-conformance.js';

/** The rules of ProfileLeases, for every implementation. */
export function describeProfileLeases(name: string, setup: () => Promise<ProfileLeasesSetup>): void {
  describe(`${name} profile leases`, () => {
    let given: ProfileLeasesSetup;

    beforeAll(async () => {
      given = await setup();
    });

    afterAll(async () => {
      await given?.close();
    });

    describeHolding(() => given);
    describeWriting(() => given);
    describeRestoring(() => given);
    describeDiscarding(() => given);
    describeImporting(() => given);
  });
}
