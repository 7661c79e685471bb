import { Module } from '@nestjs/common';
import { AppAssignments } from './app-assignments.js';
import { AppCatalogue } from './app-catalogue.js';
import { VersionDocuments } from './version-documents.js';

/** Needs the global modules of database and audit. */
@Module({
  providers: [AppAssignments, AppCatalogue, VersionDocuments],
  exports: [AppAssignments, AppCatalogue, VersionDocuments],
})
export class AppsModule {}
