import { Module } from '@nestjs/common';
import { AppAssignments } from './app-assignments.js';
import { AppCatalogue } from './app-catalogue.js';

/** Needs the global modules of database and audit. */
@Module({ providers: [AppAssignments, AppCatalogue], exports: [AppAssignments, AppCatalogue] })
export class AppsModule {}
