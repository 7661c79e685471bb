import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Portal } from './portal.js';
import type { PortalState } from './portal-state.js';

export const PortalContext = createContext<Portal | null>(null);

export function usePortal(): Portal {
  const portal = useContext(PortalContext);
  if (!portal) throw new Error('PortalContext is missing');
  return portal;
}

export function usePortalState(): PortalState {
  const portal = usePortal();
  return useSyncExternalStore(portal.subscribe, portal.snapshot);
}
