import type { DesktopView } from '#libs/contracts';

/** Those with a problem first, else in the order given. */
export function troubledFirst(desktops: readonly DesktopView[]): DesktopView[] {
  return [...desktops].sort((a, b) => Number(a.profileProblem === null) - Number(b.profileProblem === null));
}

/** Whether IT may end the attempts to save its profile. */
export function mayBeGivenUp({ state, profileProblem }: DesktopView): boolean {
  return state === 'recycling' && profileProblem !== null;
}
