import { FakeHost, type FakeMachine } from '#libs/hypervisor';

/** Machines of a host, telling of each that is new. */
class WatchedMachines extends Map<string, FakeMachine> {
  onAdded: (machineId: string) => void = () => undefined;

  override set(machineId: string, machine: FakeMachine): this {
    super.set(machineId, machine);
    this.onAdded(machineId);
    return this;
  }
}

/** A fake host that tells of each machine that is made on it. */
export class WatchedHost extends FakeHost {
  override readonly machines = new WatchedMachines();

  constructor(
    readonly name: string,
    options: ConstructorParameters<typeof FakeHost>[0],
  ) {
    super(options);
  }

  onMachineMade(listener: (machineId: string) => void): void {
    this.machines.onAdded = listener;
  }
}
