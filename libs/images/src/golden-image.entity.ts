import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A golden image by name; what desktops start from is one of its versions. */
@Entity('golden_images')
export class GoldenImage {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  displayName!: string;

  @Column({ type: 'timestamptz', insert: false, update: false })
  createdAt!: Date;
}
