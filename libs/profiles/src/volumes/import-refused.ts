/** For IT, of a profile whose key is gone for good. */
export const DESTROYED_HERE = 'This profile was destroyed here, on purpose';

/** A version of another store cannot become this person's profile here. The message is for IT. */
export class ImportRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ImportRefused';
  }
}
