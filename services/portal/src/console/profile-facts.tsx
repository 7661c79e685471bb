import type { ProfileVolumeView } from '#libs/contracts';
import { wordsForBytes, wordsForMiB, wordsForTime } from '../words/amount-words.js';

/** What there is to know of a profile before its versions. */
export function ProfileFacts({ volume }: { readonly volume: ProfileVolumeView }) {
  const { savedAt, sizeMiB, storedBytes, versions, damaged, heldBy } = volume;
  return (
    <dl className="facts facts-row" data-testid={`facts-${volume.context}`}>
      <div>
        <dt>Saved</dt>
        <dd>{savedAt ? wordsForTime(savedAt) : 'Never'}</dd>
      </div>
      <div>
        <dt>Room for</dt>
        <dd>{wordsForMiB(sizeMiB)}</dd>
      </div>
      <div>
        <dt>Stored</dt>
        <dd>
          {wordsForBytes(storedBytes)} in {versions === 1 ? '1 version' : `${versions} versions`}
        </dd>
      </div>
      {damaged > 0 && (
        <div className="facts-bad">
          <dt>Damaged</dt>
          <dd>{damaged === 1 ? '1 version' : `${damaged} versions`}</dd>
        </div>
      )}
      <div>
        <dt>In use</dt>
        <dd>{heldBy ? `on ${heldBy.host}` : 'No'}</dd>
      </div>
    </dl>
  );
}
