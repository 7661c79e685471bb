import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { ImageVersionState } from '#libs/contracts';

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

  /** For a failed version: what was wrong. */
  @Column('text', { nullable: true })
  failure!: string | null;

  @Column({ type: 'timestamptz', insert: false, update: false })
  createdAt!: Date;
}
