/** A record of a profile cannot be used. */
export class RecordError extends Error {
  constructor(
    readonly code: 'damaged' | 'altered',
    message: string,
  ) {
    super(message);
    this.name = 'RecordError';
  }
}
