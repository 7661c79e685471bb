import { lazy, Suspense, useEffect } from 'react';
import { LookPage } from './pages/look-page.js';
import { PoolsPage } from './pages/pools-page.js';
import { SessionPage } from './pages/session-page.js';
import { SignInPage } from './pages/sign-in-page.js';
import { usePortalState } from './state/portal-context.js';
import { useProfilePlace } from './state/profile-place.js';
import { Logo } from './ui/logo.js';

/** Most people never see it: it comes when its address is opened. */
const ConsolePage = lazy(() => import('./console/index.js'));
const isConsole = location.pathname === '/console' || location.pathname.startsWith('/console/');

export function App() {
  const { screen, session, opening } = usePortalState();
  const place = useProfilePlace();
  const desktopName = session?.poolDisplayName ?? opening?.poolDisplayName;

  useEffect(() => {
    document.title = screen === 'session' && desktopName ? `${desktopName} · Goldleaf` : 'Goldleaf';
  }, [screen, desktopName]);

  if (screen === 'sign-in') return <SignInPage />;
  if (screen === 'pools' && isConsole) {
    return (
      <Suspense fallback={<Starting />}>
        <ConsolePage />
      </Suspense>
    );
  }
  if (screen === 'pools' && place?.look) {
    const { context, look } = place;
    return <LookPage key={`${context}/${look.number}`} place={{ context, look }} />;
  }
  if (screen === 'pools') return <PoolsPage />;
  if (screen === 'session') return <SessionPage />;
  return <Starting />;
}

function Starting() {
  return (
    <main className="starting" aria-busy="true" aria-label="Goldleaf is starting">
      <Logo size={48} />
    </main>
  );
}
