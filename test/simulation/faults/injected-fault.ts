/** An error that the simulation made. */
export class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
}
