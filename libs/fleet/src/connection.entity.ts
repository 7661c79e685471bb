import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** One gateway tunnel to a session's desktop. */
@Entity('connections')
export class Connection {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column('uuid')
  sessionId!: string;

  @Column('uuid')
  desktopId!: string;

  /** SHA-256 of the API token that the ticket was made under: signing out closes the tunnel. */
  @Column('text', { nullable: true })
  tokenHash!: string | null;

  @Column('timestamptz')
  openedAt!: Date;

  /** First frame sent to the browser. */
  @Column('timestamptz', { nullable: true })
  drawnAt!: Date | null;

  /** The gateway's last sign of life for it. */
  @Column('timestamptz')
  lastSeenAt!: Date;

  @Column('timestamptz', { nullable: true })
  closedAt!: Date | null;

  @Column('text', { nullable: true })
  closeReason!: string | null;
}
