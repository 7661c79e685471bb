import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readRows, type UnitOfWork } from '#libs/database';
import { DEFAULT_SIZE_MIB } from './default-size.js';

/** How large the profiles of people with a role may get. */
export interface ProfileLimit {
  readonly role: string;
  /** 64 to 1,048,576. */
  readonly sizeMib: number;
}

/** Of a person's roles the one that allows most counts. A limit that is lowered changes no profile that there is. */
@Injectable()
export class ProfileLimits {
  constructor(private readonly dataSource: DataSource) {}

  list(): Promise<ProfileLimit[]> {
    return readRows<ProfileLimit>(
      this.dataSource,
      'SELECT role, size_mib AS "sizeMib" FROM profile_limits ORDER BY role',
    );
  }

  /** @returns the default when no role has a limit */
  async sizeFor(roles: readonly string[]): Promise<number> {
    const [found] = await readRows<{ sizeMib: number | null }>(
      this.dataSource,
      'SELECT max(size_mib) AS "sizeMib" FROM profile_limits WHERE role = ANY($1)',
      [roles],
    );
    return found?.sizeMib ?? DEFAULT_SIZE_MIB;
  }

  async set(unit: UnitOfWork, { role, sizeMib }: ProfileLimit): Promise<void> {
    await unit.rows(
      `INSERT INTO profile_limits (role, size_mib) VALUES ($1, $2)
       ON CONFLICT (role) DO UPDATE SET size_mib = excluded.size_mib, updated_at = now()`,
      [role, sizeMib],
    );
  }

  /** The role has no limit of its own any more. @returns false when it had none */
  async remove(unit: UnitOfWork, role: string): Promise<boolean> {
    return (await unit.rows('DELETE FROM profile_limits WHERE role = $1 RETURNING 1', [role])).length > 0;
  }
}
