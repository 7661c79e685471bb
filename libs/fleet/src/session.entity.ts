import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { LogonPhase, PreparingReason, SessionState } from '#libs/contracts';

/** A user's logical session with a pool. It survives reconnects and, when recycled, its desktops. */
@Entity('sessions')
export class Session {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column('text')
  username!: string;

  @Column('uuid')
  poolId!: string;

  @Column('text')
  state!: SessionState;

  @Column('timestamptz')
  stateChangedAt!: Date;

  /** Set while it waits for a desktop: its place in the queue. */
  @Column('timestamptz', { nullable: true })
  waitingSince!: Date | null;

  @Column('text')
  preparingReason!: PreparingReason;

  @Column('text', { nullable: true })
  failure!: string | null;

  @Column('jsonb')
  phases!: LogonPhase[];

  /** Size of the person's window in pixels, when known. */
  @Column('integer', { nullable: true })
  displayWidth!: number | null;

  @Column('integer', { nullable: true })
  displayHeight!: number | null;

  @Column({ type: 'timestamptz', insert: false, update: false })
  createdAt!: Date;
}
