import type { AppView } from '#libs/contracts';
import { AppIcon } from '../ui/app-icon.js';
import { ConsoleLink } from './console-link.js';
import { newestOf } from './console-words.js';
import { NoApps } from './no-apps.js';

/** Every application in one line each: what people get of it, who they are, and how it goes on their desktops. */
export function AppList({ apps }: { readonly apps: readonly AppView[] }) {
  if (apps.length === 0) return <NoApps />;
  return (
    <>
      <h1>Applications</h1>
      <p className="lead">Layers that come to a desktop at logon, because the person’s role names them.</p>
      <div className="table-card">
        <table data-testid="apps-table">
          <thead>
            <tr>
              <th scope="col">Application</th>
              <th scope="col">Version</th>
              <th scope="col">Roles</th>
              <th scope="col" className="number">
                People
              </th>
              <th scope="col">Desktops now</th>
            </tr>
          </thead>
          <tbody>
            {apps.map((app) => (
              <tr key={app.name} data-testid={`app-${app.name}`}>
                <th scope="row">
                  <ConsoleLink to={`/console/apps/${app.name}`} className="app-link" testId={`app-link-${app.name}`}>
                    <AppIcon url={app.iconUrl} displayName={app.displayName} size={36} />
                    <span className="app-text">
                      <span className="app-name">{app.displayName}</span>
                      <span className="app-description">{app.description}</span>
                    </span>
                  </ConsoleLink>
                </th>
                <td>
                  <Versions app={app} />
                </td>
                <td>
                  <Roles app={app} />
                </td>
                <td className="number">{app.people}</td>
                <td>
                  <Desktops {...app.desktops} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Versions({ app }: { readonly app: AppView }) {
  const broad = newestOf('broad', app.versions);
  const pilot = newestOf('pilot', app.versions);
  const damaged = app.versions.some((version) => version.state === 'damaged');
  return (
    <>
      {broad === null && pilot === null && <span className="muted">None published</span>}
      {broad && <span className="line">{broad.label}</span>}
      {pilot && pilot.number !== broad?.number && (
        <span className="line">
          {pilot.label} <span className="tag tag-gold">Pilot</span>
        </span>
      )}
      {damaged && <span className="tag tag-red">One is damaged</span>}
    </>
  );
}

function Roles({ app }: { readonly app: AppView }) {
  if (app.assignments.length === 0) return <span className="muted">Nobody yet</span>;
  return (
    <>
      {app.assignments.map((assignment) => (
        <span key={assignment.role} className="line">
          {assignment.role}
          {assignment.kind === 'allowed' && <span className="muted"> may add it</span>}
        </span>
      ))}
    </>
  );
}

export function Desktops({ ready, failed }: AppView['desktops']) {
  return (
    <>
      <span className="line">{ready === 0 ? <span className="muted">None</span> : `${ready} ready`}</span>
      {failed > 0 && <span className="tag tag-red">{failed} could not get it</span>}
    </>
  );
}
