export { appDocuments } from './app-documents.js';
export { BrokerModule } from './broker.module.js';
export { type BrokerParts, createBrokerApp } from './broker-app.js';
export { ldapDirectoryOf } from './ldap-directory-of.js';
export { openApiDocument, serveOpenApi } from './openapi/serve-openapi.js';
