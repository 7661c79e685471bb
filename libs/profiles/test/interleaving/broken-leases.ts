import { MemoryProfileLeases } from '../../src/leases/memory/memory-profile-leases.js';

/** Implementations without one of the rules: the interleavings must find each. */
export const brokenLeases = {
  'takes over from a desktop that is being given up': class extends MemoryProfileLeases {
    protected override mayStillWrite({ desktopId }: { desktopId: string }): boolean {
      return this.world.desktops.get(desktopId)?.state === 'assigned';
    }
  },
  'takes over from whoever has it, as a time-out would': class extends MemoryProfileLeases {
    protected override mayStillWrite(): boolean {
      return false;
    }
  },
  'does not look at the fence of a commit': class extends MemoryProfileLeases {
    protected override isCurrent(): boolean {
      return true;
    }
  },
  'does not look at what a version is based on': class extends MemoryProfileLeases {
    protected override isBasedOnNewest(): boolean {
      return true;
    }
  },
  'looks neither at the fence nor at what a version is based on': class extends MemoryProfileLeases {
    protected override isCurrent(): boolean {
      return true;
    }
    protected override isBasedOnNewest(): boolean {
      return true;
    }
  },
  'forgets to take the leases of a host that is fenced off': class extends MemoryProfileLeases {
    override async fenceHost(host: string): Promise<string[]> {
      this.world.hosts.set(host, true);
      return [];
    }
  },
  'drops what machines read from': class extends MemoryProfileLeases {
    override async numbersInUse(): Promise<number[]> {
      return [];
    }
  },
  'discards what somebody goes on from': class extends MemoryProfileLeases {
    protected override isNewestOf(): boolean {
      return false;
    }
  },
  'never takes over': class extends MemoryProfileLeases {
    protected override mayStillWrite(): boolean {
      return true;
    }
  },
} as const;
