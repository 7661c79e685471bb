import { usePortal } from '../state/portal-context.js';
import { Brand } from '../ui/logo.js';

/** For people who followed a link that is not theirs. */
export function NotForYou() {
  const portal = usePortal();
  return (
    <div className="console">
      <header className="top">
        <Brand />
        <button type="button" className="button button-quiet" onClick={() => void portal.signOut()}>
          Sign out
        </button>
      </header>
      <main className="console-main not-for-you" data-testid="not-for-you">
        <h1>This page is for the IT department</h1>
        <p className="lead">
          There is nothing for you to do here. Your desktops and applications are on your own page.
        </p>
        <a className="button button-gold" href="/">
          Go to your desktops
        </a>
      </main>
    </div>
  );
}
