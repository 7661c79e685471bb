/** The connection ended before the answer: what was asked for happened or did not. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';

  constructor(message = 'the connection to the database was lost') {
    super(message);
  }
}

/** A rule of the database refused a row. */
export class ConstraintViolation extends Error {
  override readonly name = 'ConstraintViolation';

  constructor(readonly constraint: string) {
    super(`the row violates ${constraint}`);
  }
}

/** Transactions waited for each other in a ring; this one was given up and may be tried again. */
export class DeadlockDetected extends Error {
  override readonly name = 'DeadlockDetected';

  constructor() {
    super('deadlock detected');
  }
}
