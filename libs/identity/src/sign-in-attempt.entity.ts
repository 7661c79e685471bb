import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How many attempts to sign in were made of late under one key: a name, an address, or a name from a known address. */
@Entity('sign_in_attempts')
export class SignInAttempt {
  /** `name:`, `address:` or `known:` and a SHA-256: what people type into the name field may be their password. */
  @PrimaryColumn('text')
  key!: string;

  /** Attempts not forgotten yet, as of `updatedAt`; it sinks steadily. */
  @Column('double precision')
  level!: number;

  /** How often the limit was reached in a row; each doubles the time of forgetting, up to a bound. */
  @Column('integer')
  strikes!: number;

  @Column('timestamptz')
  updatedAt!: Date;
}
