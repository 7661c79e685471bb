/** How the reason of a desktop begins that never became available. */
export const PROVISIONING_FAILED = 'provisioning failed';
