export type { DirectoryProvider, DirectoryUser } from './directory-provider.js';
