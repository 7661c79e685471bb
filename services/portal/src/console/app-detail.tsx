import { useEffect, useRef } from 'react';
import type { AppView } from '#libs/contracts';
import { AppIcon } from '../ui/app-icon.js';
import { AssignmentTable } from './assignment-table.js';
import { ConsoleLink } from './console-link.js';
import { wordsForPeople } from './console-words.js';
import { VersionTable } from './version-table.js';

interface Props {
  readonly name: string;
  readonly app: AppView | null;
  readonly apps: readonly AppView[];
  onChange(): Promise<void>;
}

/** One application: who gets it, and its versions. */
export function AppDetail({ name, app, apps, onChange }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  return (
    <>
      <ConsoleLink to="/console/apps" className="back-link">
        ‹ All applications
      </ConsoleLink>
      {app === null ? (
        <h1 ref={heading} tabIndex={-1}>
          There is no application “{name}”
        </h1>
      ) : (
        <>
          <div className="app-head">
            <AppIcon url={app.iconUrl} displayName={app.displayName} size={56} />
            <div>
              <h1 ref={heading} tabIndex={-1}>
                {app.displayName}
              </h1>
              <p className="lead">{app.description}</p>
            </div>
            <dl className="facts" data-testid="app-facts">
              <div>
                <dt>On the record of</dt>
                <dd>{wordsForPeople(app.people)}</dd>
              </div>
              <div>
                <dt>Desktops now</dt>
                <dd>{app.desktops.ready} ready</dd>
              </div>
              {app.desktops.failed > 0 && (
                <div className="facts-bad">
                  <dt>Could not get it</dt>
                  <dd>{app.desktops.failed} desktops</dd>
                </div>
              )}
            </dl>
          </div>
          <AssignmentTable app={app} apps={apps} onChange={onChange} />
          <VersionTable app={app} onChange={onChange} />
        </>
      )}
    </>
  );
}
