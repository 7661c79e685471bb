import { useEffect } from 'react';
import { BrokerHttp } from '../api/broker-http.js';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { useResource } from '../state/use-resource.js';
import { Brand } from '../ui/logo.js';
import { NoticeLine } from '../ui/notice-line.js';
import { AppDetail } from './app-detail.js';
import { AppList } from './app-list.js';
import { ConsoleClient } from './console-client.js';
import { ConsoleContext } from './console-context.js';
import { ConsoleLink } from './console-link.js';
import { useConsoleRoute } from './console-route.js';
import { DesktopsPage } from './desktops-page.js';
import { ImagesPage } from './images-page.js';
import { LimitsPage } from './limits-page.js';
import { Loaded } from './loaded.js';
import { NotForYou } from './not-for-you.js';
import { PeoplePage } from './people-page.js';
import { PersonPage } from './person-page.js';
import './console.css';
import './console-tables.css';
import './console-pages.css';
import './console-dialogs.css';

const client = new ConsoleClient(new BrokerHttp());

/** The pages of IT. They show what the broker gives; to everybody else it gives nothing. */
export function ConsolePage() {
  const portal = usePortal();
  const { user } = usePortalState();
  const route = useConsoleRoute();
  const apps = useResource(client.apps);

  useEffect(() => {
    document.title = 'IT console · Goldleaf';
    return () => {
      document.title = 'Goldleaf';
    };
  }, []);

  if (apps.problem?.code === 'forbidden') return <NotForYou />;
  return (
    <ConsoleContext.Provider value={client}>
      <div className="console">
        <header className="top console-top">
          <Brand />
          <nav className="console-nav" aria-label="Console">
            <ConsoleLink to="/console/apps" current={route.page === 'apps'} testId="nav-apps">
              Applications
            </ConsoleLink>
            <ConsoleLink
              to="/console/people"
              current={route.page === 'people' || route.page === 'limits'}
              testId="nav-people"
            >
              People
            </ConsoleLink>
            <ConsoleLink to="/console/desktops" current={route.page === 'desktops'} testId="nav-desktops">
              Desktops
            </ConsoleLink>
            <ConsoleLink to="/console/images" current={route.page === 'images'} testId="nav-images">
              Images
            </ConsoleLink>
          </nav>
          <div className="top-user">
            <span className="top-name" title={user?.username}>
              {user?.displayName}
            </span>
            <a className="button button-quiet" href="/">
              Your desktops
            </a>
            <button type="button" className="button button-quiet" onClick={() => void portal.signOut()}>
              Sign out
            </button>
          </div>
        </header>
        <main className="console-main">
          {route.page === 'apps' && (
            <Loaded resource={apps}>
              {(all) =>
                route.app === null ? (
                  <AppList apps={all} />
                ) : (
                  <AppDetail
                    key={route.app}
                    name={route.app}
                    app={all.find((each) => each.name === route.app) ?? null}
                    apps={all}
                    onChange={apps.reload}
                  />
                )
              }
            </Loaded>
          )}
          {route.page === 'people' &&
            (route.person === null ? <PeoplePage /> : <PersonPage key={route.person} username={route.person} />)}
          {route.page === 'limits' && <LimitsPage />}
          {route.page === 'desktops' && <DesktopsPage />}
          {route.page === 'images' && <ImagesPage />}
        </main>
        <NoticeLine />
      </div>
    </ConsoleContext.Provider>
  );
}
