import type { HypervisorDriver, VolumeView } from '#libs/hypervisor';
import type { ProfileLeases } from '#libs/profiles';
import type { ObjectStore } from '#libs/volumes';

type Method = (...args: unknown[]) => unknown;
export type SaveStep = 'before' | 'after';

/**
 * Tells, while a provisioner makes a version of a profile, before and after each call that leaves its process: to the
 * driver and the view, the leases, and the volume store. Whoever is told holds everything up until they return.
 */
export class SaveSteps {
  /** Told of each step, e.g. `before`, `commit`. Null: nobody wants to know. */
  listener: ((when: SaveStep, call: string) => void) | null = null;

  watch(given: { driver: HypervisorDriver; leases: ProfileLeases; objects: ObjectStore }): void {
    this.wrap(given.driver, ['viewVolume', 'closeView'], (answer) => {
      const view = answer as VolumeView | undefined;
      if (view) this.wrap(view, ['open'], (reader) => this.wrap(reader as object, ['read', 'close']));
    });
    this.wrap(given.leases, ['newest', 'beginVersion', 'commit']);
    // With the first part of the name: what kind of object it is.
    this.wrap(given.objects, ['put', 'has'], undefined, (key) => ` ${String(key).split('/')[0]}`);
  }

  private wrap(
    target: object,
    names: readonly string[],
    onAnswer: (answer: unknown) => void = () => undefined,
    more: (argument: unknown) => string = () => '',
  ): void {
    for (const name of names) {
      const original = (Reflect.get(target, name) as Method).bind(target);
      Reflect.set(target, name, async (...args: unknown[]) => {
        const call = `${name}${more(args[0])}`;
        this.listener?.('before', call);
        const answer = await original(...args);
        onAnswer(answer);
        this.listener?.('after', call);
        return answer;
      });
    }
  }
}
