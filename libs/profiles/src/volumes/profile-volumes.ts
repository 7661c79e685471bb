import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** In the volume store. */
export const profileVolumeName = (volumeId: string): string => `profiles/${volumeId}`;

/** Of people none of whose roles has a limit. */
export const DEFAULT_SIZE_MIB = 10_240;

/** The profile of a person in a context. */
export interface ProfileVolume {
  readonly id: string;
  readonly username: string;
  readonly context: string;
  /** How large the person's roles let it be. It grows when they allow more, and never gets smaller. */
  readonly sizeMib: number;
  /** For `ProfileKeys.unwrap`. */
  readonly wrappedKey: Buffer;
}

@Injectable()
export class ProfileVolumes {
  constructor(readonly dataSource: DataSource) {}
}
