import { Module } from '@nestjs/common';
import { ProfileService } from './profile-service.js';

/** Needs the global modules of database and audit. */
@Module({ providers: [ProfileService], exports: [ProfileService] })
export class ProfilesModule {}
