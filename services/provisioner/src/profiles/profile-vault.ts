import { Inject, Injectable } from '@nestjs/common';
import {
  ProfileKeyError,
  ProfileKeys,
  type ProfileVolume,
  type ProfileVolumeKey,
  ProfileVolumes,
  type RewrappedKeys,
} from '#libs/profiles';

/** Injection token of the `ProfileKeys` of the configuration; null without a master key. */
export const PROFILE_KEYS = Symbol('goldleaf.provisioner.profile-keys');

/** A profile volume with its key, which is secret and stays in memory. */
export interface UnlockedVolume extends ProfileVolume {
  readonly key: Buffer;
}

/** The volumes of people with their keys. */
@Injectable()
export class ProfileVault {
  constructor(
    private readonly volumes: ProfileVolumes,
    @Inject(PROFILE_KEYS) private readonly keys: ProfileKeys | null,
  ) {}

  /** False without a master key on this host: then nothing opens. */
  get isOpen(): boolean {
    return this.keys !== null;
  }

  /** Whether the master key is being changed: the configuration has former ones. */
  get hasFormerKeys(): boolean {
    return this.keys?.hasFormer ?? false;
  }

  /** Wraps what former master keys have wrapped under the present one. @throws ProfileKeyError as `requireKeys` */
  rewrap(): Promise<RewrappedKeys> {
    return this.volumes.rewrapKeys(this.requireKeys());
  }

  /** The person's volume of the context; made at its first use. @throws ProfileKeyError, DomainError `not-found` */
  async findOrMake(whose: ProfileVolumeKey): Promise<UnlockedVolume> {
    const keys = this.requireKeys();
    return this.unlock(await this.volumes.findOrMake(whose, (volumeId) => keys.make(volumeId)));
  }

  /** @returns null when there is none (any more) @throws ProfileKeyError */
  async find(whose: ProfileVolumeKey): Promise<UnlockedVolume | null> {
    const volume = await this.volumes.find(whose);
    return volume && this.unlock(volume);
  }

  /** @throws ProfileKeyError */
  unlock(volume: ProfileVolume): UnlockedVolume {
    return { ...volume, key: this.requireKeys().unwrap(volume.id, volume.wrappedKey) };
  }

  /** @throws ProfileKeyError `unknown-master-key` without one */
  requireKeys(): ProfileKeys {
    if (this.keys) return this.keys;
    throw new ProfileKeyError('unknown-master-key', 'GOLDLEAF_PROFILE_MASTER_KEY is not set on this host');
  }
}
