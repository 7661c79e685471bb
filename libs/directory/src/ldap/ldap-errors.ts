/** The connection to a server could not be made, broke, timed out or spoke no LDAP: another server may be tried. */
export class LdapConnectionError extends Error {
  constructor(
    message: string,
    options: { cause?: unknown /** The server may be well; only this connection ended. */; closed?: boolean } = {},
  ) {
    super(message, options);
    this.name = 'LdapConnectionError';
    this.closed = options.closed ?? false;
  }

  readonly closed: boolean;
}

/** A server answered, but refused what Goldleaf itself (not the person) asked for. */
export class LdapRefusedError extends Error {
  constructor(
    message: string,
    readonly resultCode: number,
  ) {
    super(message);
    this.name = 'LdapRefusedError';
  }
}

/** Result codes of RFC 4511 that are told apart here. */
export const resultCodes = {
  success: 0,
  sizeLimitExceeded: 4,
  constraintViolation: 19,
  noSuchObject: 32,
  inappropriateAuthentication: 48,
  invalidCredentials: 49,
  insufficientAccessRights: 50,
  busy: 51,
  unavailable: 52,
  unwillingToPerform: 53,
} as const;
