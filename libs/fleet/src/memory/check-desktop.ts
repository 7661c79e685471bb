import type { Desktop } from '../desktop.entity.js';
import type { FleetRule } from './fleet-rule.js';
import { ConstraintViolation } from './memory-errors.js';

/**
 * The CHECK constraints of the table `desktops` and, where `before` is given, its triggers `desktops_keep_owner`
 * and `desktops_keep_ending`.
 * @throws ConstraintViolation
 */
export function checkDesktop(rules: { enforces(rule: FleetRule): boolean }, row: Desktop, before?: Desktop): void {
  const refuseIf = (rule: FleetRule, isViolated: boolean): void => {
    if (isViolated && rules.enforces(rule)) throw new ConstraintViolation(rule);
  };
  const isSpare = row.state === 'provisioning' || row.state === 'available';
  if (before) {
    refuseIf('one-owner', before.sessionId !== null && row.sessionId !== before.sessionId);
    refuseIf('deleted-stays-deleted', before.state === 'deleted' && row.state !== 'deleted');
    const wasGivenUp = before.state === 'recycling' || before.state === 'quarantined';
    refuseIf('given-up-ends', wasGivenUp && (isSpare || row.state === 'assigned'));
  }
  const isReady = row.state === 'available' || row.state === 'assigned';
  refuseIf('spares-unused', isSpare && row.sessionId !== null);
  refuseIf('assigned-has-owner', row.state === 'assigned' && row.sessionId === null);
  refuseIf('ready-has-display', isReady && row.sealedDisplayPassword === null);
}
