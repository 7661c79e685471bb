import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** One move of a state machine, written in the transaction that made the move. */
@Entity('state_events')
export class StateEvent {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' })
  id!: string;

  /** Name of the state machine: `desktop`, `session`, `image-version`. */
  @Column('text')
  entity!: string;

  @Column('uuid')
  entityId!: string;

  @Column('text', { nullable: true })
  fromState!: string | null;

  @Column('text')
  toState!: string;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('text', { nullable: true })
  correlationId!: string | null;

  @Column('timestamptz', { default: () => 'clock_timestamp()' })
  at!: Date;
}
