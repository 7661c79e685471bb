import { z } from 'zod';
import { type AppEntry, type AppIcon, appEntrySchema, appIconSchema, nameSchema } from '#libs/contracts';
import { volumeIdSchema } from '../machine-volume.js';

/** An application that a desktop is to have. */
export type WantedApp =
  /** Merged from the volume that the machine was given before. */
  | { readonly name: string; readonly mode: 'attached'; readonly volumeId: string }
  /** In the menu only; choosing an entry has the guest say `start NAME ENTRY`. */
  | {
      readonly name: string;
      readonly mode: 'on-demand';
      readonly entries: readonly AppEntry[];
      readonly icon?: AppIcon;
    };

export const wantedAppsSchema = z
  .array(
    z.discriminatedUnion('mode', [
      z.object({ name: nameSchema, mode: z.literal('attached'), volumeId: volumeIdSchema }),
      z.object({
        name: nameSchema,
        mode: z.literal('on-demand'),
        entries: z.array(appEntrySchema).min(1).max(50),
        icon: appIconSchema.optional(),
      }),
    ]),
  )
  .max(100)
  .refine((apps) => new Set(apps.map(({ name }) => name)).size === apps.length, 'an application is named twice');
