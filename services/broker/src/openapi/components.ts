import { z } from 'zod';
import {
  appViewSchema,
  auditEntryViewSchema,
  desktopViewSchema,
  eventMessageSchema,
  hostViewSchema,
  imageVersionViewSchema,
  imageViewSchema,
  loginResponseSchema,
  myAppSchema,
  poolSummarySchema,
  poolViewSchema,
  problemSchema,
  profileImportViewSchema,
  profileLimitViewSchema,
  profileLookupBegunSchema,
  profileLookupViewSchema,
  profileVersionViewSchema,
  profileViewSchema,
  profileVolumeViewSchema,
  sessionViewSchema,
  ticketViewSchema,
  userViewSchema,
} from '#libs/contracts';
import { auditPageSchema } from '../api/audit-page.js';

const answers = {
  App: appViewSchema,
  AuditEntry: auditEntryViewSchema,
  AuditPage: auditPageSchema,
  Desktop: desktopViewSchema,
  Event: eventMessageSchema,
  Host: hostViewSchema,
  Image: imageViewSchema,
  ImageVersion: imageVersionViewSchema,
  LoginResponse: loginResponseSchema,
  MyApp: myAppSchema,
  Pool: poolViewSchema,
  PoolSummary: poolSummarySchema,
  Problem: problemSchema,
  Profile: profileViewSchema,
  ProfileImport: profileImportViewSchema,
  ProfileLimit: profileLimitViewSchema,
  ProfileLookup: profileLookupViewSchema,
  ProfileLookupBegun: profileLookupBegunSchema,
  ProfileVersion: profileVersionViewSchema,
  ProfileVolume: profileVolumeViewSchema,
  Session: sessionViewSchema,
  Ticket: ticketViewSchema,
  User: userViewSchema,
} as const;

export type ComponentName = keyof typeof answers;

/** The schemas of all answers as OpenAPI components. */
export const components = (): Record<ComponentName, object> =>
  Object.fromEntries(
    Object.entries(answers).map(([name, schema]) => [
      name,
      z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'output' }),
    ]),
  ) as Record<ComponentName, object>;
