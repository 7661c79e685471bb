import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A sign-in that lasts. The token itself is known to the client only. */
@Entity('api_sessions')
export class ApiSession {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  /** SHA-256, hex. */
  @Column('text')
  tokenHash!: string;

  @Column('text')
  username!: string;

  /** The name in its one spelling, for comparing. */
  @Column('text')
  usernameKey!: string;

  @Column('text')
  displayName!: string;

  @Column('text', { array: true })
  roles!: string[];

  /** When the directory was last asked for the roles. */
  @Column('timestamptz')
  rolesReadAt!: Date;

  /** Network that the person signed in from, as the limiter groups addresses. */
  @Column('text')
  sourceNetwork!: string;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('timestamptz')
  lastSeenAt!: Date;

  /** The end, however much it is used. Being idle can end it earlier. */
  @Column('timestamptz')
  expiresAt!: Date;

  @Column('timestamptz', { nullable: true })
  revokedAt!: Date | null;
}
