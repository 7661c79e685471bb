import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { PoolMode, PoolProfile } from '#libs/contracts';

/** A floating pool: equal desktops from one golden image, `spares` of them warm. */
@Entity('pools')
export class Pool {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  displayName!: string;

  @Column('text')
  description!: string;

  @Column('uuid')
  imageId!: string;

  /** People with any of these roles may use it. */
  @Column('text', { array: true })
  roles!: string[];

  @Column('integer')
  spares!: number;

  /** Most desktops that exist at a time, whatever their state. */
  @Column('integer')
  max!: number;

  @Column('integer')
  vcpus!: number;

  @Column('integer')
  memoryMib!: number;

  @Column('text')
  mode!: PoolMode;

  /** A session that nobody looks at for so long is logged off. */
  @Column('integer')
  disconnectTimeoutMinutes!: number;

  /** What its desktops do about profiles; null: they have none. */
  @Column('jsonb', { nullable: true })
  profile!: PoolProfile | null;
}
