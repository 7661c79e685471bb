export { AppAssignments } from './app-assignments.js';
export { AppCatalogue } from './app-catalogue.js';
export { appIdOf } from './app-id.js';
export { AppRegistration } from './app-registration.js';
export { AppsModule } from './apps.module.js';
export { auditApp } from './audit-app.js';
export { LayerVerifier } from './layer-verifier.js';
export { LayerVerifierModule } from './layer-verifier.module.js';
export { iconUrl } from './read-app-views.js';
export {
  type ChoosableVersion,
  type ResolvedApp,
  type RoleAssignment,
  resolveApps,
} from './resolve-apps.js';
export { signedDocument, type VersionDocument, VersionDocuments } from './version-documents.js';
