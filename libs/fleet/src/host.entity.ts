import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { HostMode } from '#libs/contracts';

/** A hypervisor host, as its provisioner reports it. */
@Entity('hosts')
export class Host {
  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  driver!: string;

  @Column('text')
  accelerator!: string;

  @Column('integer')
  vcpus!: number;

  @Column('integer')
  memoryMib!: number;

  @Column('text')
  mode!: HostMode;

  /** Memory and disk that the host really had left at its last report. */
  @Column('integer')
  availableMemoryMib!: number;

  @Column('integer')
  availableDiskMib!: number;

  @Column('timestamptz')
  lastSeenAt!: Date;
}
