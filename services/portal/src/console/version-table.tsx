import { useState } from 'react';
import type { AppVersionView, AppView } from '#libs/contracts';
import { toApiError } from '../api/api-error.js';
import { usePortal } from '../state/portal-context.js';
import { wordsForBytes } from '../words/amount-words.js';
import { wordsForRefusal } from '../words/refusal-words.js';
import { useConsoleClient } from './console-context.js';
import { ringWords, versionStateWords, wordsForOs } from './console-words.js';
import { Moment } from './moment.js';
import { VersionWithdrawDialog } from './version-withdraw-dialog.js';

interface Props {
  readonly app: AppView;
  onChange(): Promise<void>;
}

/** The versions of an application, newest first, and what IT can do with each. */
export function VersionTable({ app, onChange }: Props) {
  const portal = usePortal();
  const client = useConsoleClient();
  const [withdrawing, setWithdrawing] = useState<AppVersionView | null>(null);
  const done = async (text: string): Promise<void> => {
    portal.say('info', text);
    await onChange();
  };
  const act = async (call: Promise<void>, text: string): Promise<void> => {
    try {
      await call;
      await done(text);
    } catch (error) {
      const problem = toApiError(error);
      if (!portal.signedOutBy(problem)) portal.say('error', wordsForRefusal(problem));
    }
  };

  return (
    <section aria-labelledby="versions-title">
      <div className="section-head">
        <h2 id="versions-title">Versions</h2>
      </div>
      <div className="table-card">
        <table data-testid="versions-table">
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Given to</th>
              <th scope="col">Size</th>
              <th scope="col">Made for</th>
              <th scope="col">Made and signed</th>
              <th scope="col">
                <span className="hidden-words">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {app.versions.map((version) => (
              <tr key={version.number} data-testid={`version-${version.number}`}>
                <th scope="row">
                  <span className="line nowrap">{version.label}</span>
                  <span className="line muted">
                    no. {version.number}, {version.packages === 1 ? '1 package' : `${version.packages} packages`}
                  </span>
                </th>
                <td>
                  <VersionTags version={version} />
                </td>
                <td>
                  <span className="line nowrap">{wordsForBytes(version.layerBytes)}</span>
                  <span className="line muted">{wordsForBytes(version.installedBytes)} installed</span>
                </td>
                <td>
                  <span className="line nowrap">{wordsForOs(version.os)}</span>
                  <span className="line muted">on {version.baseImage}</span>
                </td>
                <td>
                  <Moment at={version.createdAt} by={version.createdBy} />
                  <span className="line muted nowrap">
                    key <code title={version.keyId}>{version.keyId.slice(0, 8)}</code>
                  </span>
                </td>
                <td className="row-actions">
                  {version.state === 'published' && version.ring === 'pilot' && (
                    <button
                      type="button"
                      className="button button-gold button-small"
                      aria-label={`Release ${version.label} to everyone`}
                      data-testid={`promote-${version.number}`}
                      onClick={() =>
                        void act(
                          client.updateVersion(app.name, version.number, { ring: 'broad' }),
                          `${version.label} is released to everyone from their next logon on.`,
                        )
                      }
                    >
                      Release
                    </button>
                  )}
                  {version.state === 'published' && (
                    <button
                      type="button"
                      className="button button-quiet button-small"
                      aria-label={`Withdraw ${version.label}`}
                      data-testid={`withdraw-version-${version.number}`}
                      onClick={() => setWithdrawing(version)}
                    >
                      Withdraw
                    </button>
                  )}
                  {version.state === 'withdrawn' && (
                    <button
                      type="button"
                      className="button button-quiet button-small"
                      aria-label={`Publish ${version.label} again`}
                      data-testid={`publish-${version.number}`}
                      onClick={() =>
                        void act(
                          client.updateVersion(app.name, version.number, { state: 'published' }),
                          `${version.label} is published again.`,
                        )
                      }
                    >
                      Publish again
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {withdrawing && (
        <VersionWithdrawDialog app={app} version={withdrawing} onDone={done} onClose={() => setWithdrawing(null)} />
      )}
    </section>
  );
}

function VersionTags({ version }: { readonly version: AppVersionView }) {
  if (version.state === 'published') {
    return (
      <span className={version.ring === 'pilot' ? 'tag tag-gold' : 'tag tag-green'}>{ringWords[version.ring]}</span>
    );
  }
  return (
    <>
      <span className={version.state === 'damaged' ? 'tag tag-red' : 'tag'}>{versionStateWords[version.state]}</span>
      {version.failure && <span className="line muted">{version.failure}</span>}
    </>
  );
}
