export { AppAssignments } from './app-assignments.js';
export { AppCatalogue, noSuchApp } from './app-catalogue.js';
export { AppRegistration } from './app-registration.js';
export { AppsModule } from './apps.module.js';
export { LayerVerifier } from './layer-verifier.js';
export { LayerVerifierModule } from './layer-verifier.module.js';
export { iconUrl } from './read-app-views.js';
export {
  type ChoosableVersion,
  type ResolvedApp,
  type RoleAssignment,
  resolveApps,
  servedVersion,
} from './resolve-apps.js';
export { type VersionDocument, VersionDocuments } from './version-documents.js';
