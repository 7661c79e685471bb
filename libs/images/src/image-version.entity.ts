import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { ImageVersionState } from '#libs/contracts';
import type { StoredImage } from './stored-image.js';

/** One immutable content of a golden image. */
@Entity('image_versions')
export class ImageVersion {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column('uuid')
  imageId!: string;

  /** 1, 2, 3 ... within its image. */
  @Column('integer')
  number!: number;

  @Column('text')
  state!: ImageVersionState;

  @Column('timestamptz')
  stateChangedAt!: Date;

  /** Names the content. */
  @Column('text')
  digest!: string;

  /** Folder of the image below the images folder of each host. */
  @Column('text')
  location!: string;

  @Column('bigint')
  sizeBytes!: string;

  /** What a host needs to make its files; null until all of it is in the volume store. Read it with `storedImageSchema`. */
  @Column({ type: 'jsonb', nullable: true, insert: false })
  stored!: StoredImage | null;

  /** What it added to the store. */
  @Column({ type: 'bigint', nullable: true, insert: false })
  storedBytes!: string | null;

  /** The host whose folder is imported; null: any that has it. */
  @Column({ type: 'text', nullable: true, insert: false })
  sourceHost!: string | null;

  /** When somebody last asked for it to serve: the latest request wins, whatever gets ready first. */
  @Column({ type: 'timestamptz', insert: false, update: false })
  requestedAt!: Date;

  /** When it last began to serve; null when it never did. */
  @Column({ type: 'timestamptz', nullable: true, insert: false, update: false })
  publishedAt!: Date | null;

  /** For a failed version: what was wrong; else what stands in its way now. */
  @Column('text', { nullable: true })
  failure!: string | null;

  @Column({ type: 'timestamptz', insert: false, update: false })
  createdAt!: Date;
}
