import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { DesktopState } from '#libs/contracts';

/** What a person is given. Its machine, on `host`, has the same id. */
@Entity('desktops')
export class Desktop {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column('uuid')
  poolId!: string;

  @Column('uuid')
  imageVersionId!: string;

  @Column('text')
  host!: string;

  @Column('text')
  state!: DesktopState;

  @Column('timestamptz')
  stateChangedAt!: Date;

  /** When a transient state is given up. */
  @Column('timestamptz', { nullable: true })
  deadline!: Date | null;

  /** Set once, never changed: the only owner in its life. */
  @Column('uuid', { nullable: true })
  sessionId!: string | null;

  @Column('timestamptz', { nullable: true })
  assignedAt!: Date | null;

  @Column('text', { nullable: true })
  displayHost!: string | null;

  @Column('integer', { nullable: true })
  displayPort!: number | null;

  /** Sealed by `DisplaySeal`. */
  @Column('text', { nullable: true })
  sealedDisplayPassword!: string | null;

  /** How its machine was started, and how long that took. */
  @Column('text', { nullable: true })
  startMethod!: 'fork' | 'boot' | null;

  @Column('integer', { nullable: true })
  startMs!: number | null;

  /** Why it is being recycled or in quarantine. */
  @Column('text', { nullable: true })
  reason!: string | null;

  @Column({ type: 'timestamptz', insert: false, update: false })
  createdAt!: Date;
}
