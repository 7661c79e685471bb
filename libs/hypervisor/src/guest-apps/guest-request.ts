import { appEntrySchema, nameSchema } from '#libs/contracts';

/** Somebody chose an entry of an on-demand application in the menu. */
export interface GuestAppRequest {
  readonly name: string;
  /** Its desktop file. */
  readonly entry: string;
}

/** Reads `start NAME ENTRY`, what the menu of a desktop says over its port. @returns undefined for any other text */
export function parseGuestRequest(text: string): GuestAppRequest | undefined {
  const [verb, name, entry, ...rest] = text.split(' ');
  if (verb !== 'start' || rest.length > 0) return undefined;
  const checkedName = nameSchema.safeParse(name);
  const checkedEntry = appEntrySchema.shape.id.safeParse(entry);
  if (!checkedName.success || !checkedEntry.success) return undefined;
  return { name: checkedName.data, entry: checkedEntry.data };
}
