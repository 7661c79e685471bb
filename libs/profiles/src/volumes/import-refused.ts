/** A version of another store cannot become this person's profile here. The message is for IT. */
export class ImportRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ImportRefused';
  }
}
