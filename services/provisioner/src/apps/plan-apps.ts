import type { AppFailure } from '#libs/contracts';
import type { WantedApp } from '#libs/sessions';

export interface AppPlan {
  /** To be had: attached already or not. */
  readonly attached: readonly WantedApp[];
  /** To be shown in the menu until somebody chooses it. */
  readonly menu: readonly WantedApp[];
  /** Not to be had. */
  readonly refused: readonly { readonly app: WantedApp; readonly reason: AppFailure }[];
}

/**
 * What is to be done about the applications of a desktop.
 * @param has ids of the volumes that its machine has; a volume has the id of its version
 * @param isAskedFor whether somebody wants to start it, or it is time to try it again
 */
export function planApps(
  wanted: readonly WantedApp[],
  has: ReadonlySet<string>,
  isAskedFor: (app: WantedApp) => boolean,
): AppPlan {
  const attached: WantedApp[] = [];
  const menu: WantedApp[] = [];
  const refused: { app: WantedApp; reason: AppFailure }[] = [];
  for (const app of wanted) {
    const hasFailed = app.held?.state === 'failed' && isHeldAsWanted(app);
    if (app.refusal !== null) refused.push({ app, reason: app.refusal });
    else if (isAskedFor(app) || (!hasFailed && (app.mode === 'at-logon' || has.has(app.versionId)))) attached.push(app);
    // One that failed is offered as before: choosing it is asking for it again.
    else if (app.mode === 'on-demand') menu.push(app);
  }
  return { attached, menu, refused };
}

/** Whether what the desktop has of an application, or could not get, is of the wanted version and mode. */
export const isHeldAsWanted = ({ held, versionId, mode }: WantedApp): boolean =>
  held?.versionId === versionId && held.mode === mode;
