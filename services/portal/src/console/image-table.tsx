import type { ImageVersionView, ImageView } from '#libs/contracts';
import { wordsForBytes, wordsForDay, wordsForTime } from '../words/amount-words.js';
import { imageStateWords, wordsForHosts } from './console-words.js';
import { rollBackTarget } from './roll-back-target.js';

interface Props {
  readonly image: ImageView;
  onPublish(image: ImageView, version: ImageVersionView): void;
  onRollBack(image: ImageView, version: ImageVersionView, target: ImageVersionView): void;
}

/** One golden image: its versions, newest first, and where they are ready. */
export function ImageTable({ image, onPublish, onRollBack }: Props) {
  const target = rollBackTarget(image.versions);
  return (
    <section aria-label={image.displayName} data-testid={`image-${image.name}`}>
      <h2>
        {image.displayName} <span className="muted">{image.name}</span>
      </h2>
      <div className="table-card">
        <table>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">State</th>
              <th scope="col">Hosts</th>
              <th scope="col">Size</th>
              <th scope="col">Made</th>
              <th scope="col">
                <span className="hidden-words">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {image.versions.map((version) => (
              <tr key={version.number} data-testid={`image-${image.name}-${version.number}`}>
                <th scope="row">
                  <span className="line">{version.number}</span>
                  <code className="muted" title={version.digest}>
                    {version.digest.slice(0, 12)}
                  </code>
                </th>
                <td>
                  <span className={`tag tag-image-${version.state}`}>{imageStateWords[version.state]}</span>
                  {version.failure && <span className="line muted">{version.failure}</span>}
                </td>
                <td className="nowrap">{wordsForHosts(version.hosts)}</td>
                <td className="nowrap">
                  <span className="line">{wordsForBytes(version.sizeBytes)}</span>
                  {version.storedBytes !== null && (
                    <span className="line muted">{wordsForBytes(version.storedBytes)} added</span>
                  )}
                </td>
                <td className="nowrap">
                  <time dateTime={version.createdAt} title={wordsForTime(version.createdAt)}>
                    {wordsForDay(version.createdAt)}
                  </time>
                </td>
                <td className="row-actions">
                  {['validating', 'retired', 'failed'].includes(version.state) && (
                    <button
                      type="button"
                      className="button button-quiet button-small"
                      aria-label={`Publish version ${version.number}`}
                      data-testid={`publish-image-${image.name}-${version.number}`}
                      onClick={() => onPublish(image, version)}
                    >
                      Publish
                    </button>
                  )}
                  {version.state === 'published' && target && (
                    <button
                      type="button"
                      className="button button-quiet button-small"
                      aria-label={`Roll back to version ${target.number}`}
                      data-testid={`rollback-${image.name}-${version.number}`}
                      onClick={() => onRollBack(image, version, target)}
                    >
                      Roll back
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
