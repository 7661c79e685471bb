import { Column, Entity, PrimaryColumn } from 'typeorm';

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

  @Column('timestamptz')
  lastSeenAt!: Date;
}
