import type { Desktop } from '../desktop.entity.js';
import type { FleetRule } from './fleet-rule.js';
import { ConstraintViolation } from './memory-errors.js';

/**
 * The CHECK constraints of the table `desktops` and, where `before` is given, its trigger `desktops_keep_owner`.
 * @throws ConstraintViolation
 */
export function checkDesktop(rules: { enforces(rule: FleetRule): boolean }, row: Desktop, before?: Desktop): void {
  const refuseIf = (rule: FleetRule, isViolated: boolean): void => {
    if (isViolated && rules.enforces(rule)) throw new ConstraintViolation(rule);
  };
  if (before) {
    refuseIf('one-owner', before.sessionId !== null && row.sessionId !== before.sessionId);
    refuseIf('deleted-stays-deleted', before.state === 'deleted' && row.state !== 'deleted');
  }
  const isSpare = row.state === 'provisioning' || row.state === 'available';
  const isReady = row.state === 'available' || row.state === 'assigned';
  refuseIf('spares-unused', isSpare && row.sessionId !== null);
  refuseIf('assigned-has-owner', row.state === 'assigned' && row.sessionId === null);
  refuseIf('ready-has-display', isReady && row.sealedDisplayPassword === null);
}
