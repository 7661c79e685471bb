import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeConflicts } from './fleet-conflicts-conformance.js';
import { describeDesktopStatements } from './fleet-desktops-conformance.js';
import { describeRules } from './fleet-rules-conformance.js';
import { describeSessionStatements } from './fleet-sessions-conformance.js';
import { describeTransactions } from './fleet-transactions-conformance.js';
import type { FleetStoreSetup } from './fleet-world-conformance.js';

export type { FleetStoreSetup } from './fleet-world-conformance.js';

/** The rules of FleetStore, for every implementation. */
export function describeFleetStore(name: string, setup: () => Promise<FleetStoreSetup>): void {
  describe(`${name} fleet store`, () => {
    let given: FleetStoreSetup;

    beforeAll(async () => {
      given = await setup();
    });

    afterAll(async () => {
      await given?.close();
    });

    describeDesktopStatements(() => given);
    describeSessionStatements(() => given);
    describeRules(() => given);
    describeTransactions(() => given);
    describeConflicts(() => given);
  });
}
