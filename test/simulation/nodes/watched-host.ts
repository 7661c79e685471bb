import { FakeHost, type FakeMachine } from '#libs/hypervisor';

/** Machines of a host, telling of each that is new. */
class WatchedMachines extends Map<string, FakeMachine> {
  onAdded: (machineId: string) => void = () => undefined;

  override set(machineId: string, machine: FakeMachine): this {
    super.set(machineId, machine);
    this.onAdded(machineId);
    return this;
  }

  setUnseen(machineId: string, machine: FakeMachine): void {
    super.set(machineId, machine);
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

  /** A machine turns up that no desktop is known of, as after the database was restored from a backup. */
  addStray(machineId: string, like: FakeMachine): void {
    const spec = { ...like.spec, id: machineId };
    this.machines.setUnseen(machineId, { ...like, spec, state: 'running', gone: new AbortController() });
  }

  runs(machineId: string): boolean {
    const machine = this.machines.get(machineId);
    return machine?.state === 'running' && !machine.isBeingDestroyed;
  }

  onMachineMade(listener: (machineId: string) => void): void {
    this.machines.onAdded = listener;
  }
}
