import { useCallback, useEffect, useRef, useState } from 'react';
import type { ProfileVersionView, ProfileVolumeView } from '#libs/contracts';
import { useApi } from '../state/api-context.js';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { hrefOf, nowhere, useProfilePlace } from '../state/profile-place.js';
import { Spinner } from '../ui/spinner.js';
import { wordsForBytes, wordsForMoment } from '../words/amount-words.js';
import { wordsForGoneBack } from '../words/profile-words.js';
import { GoBackDialog } from './go-back-dialog.js';
import { useLookingAgain } from './use-looking-again.js';
import { VersionList } from './version-list.js';

const MIB = 2 ** 20;

interface Props {
  readonly volume: ProfileVolumeView;
  /** The person has several, so that each needs its name. */
  readonly named: boolean;
  onChange(): Promise<void>;
}

/** One of the person's profiles: as of when it is saved, and its versions when asked for. */
export function ProfileCard({ volume, named, onChange }: Props) {
  const api = useApi();
  const portal = usePortal();
  const [chosen, setChosen] = useState<ProfileVersionView | null>(null);
  /** The newest version when the person went back: over as soon as there is another. */
  const [goingBackFrom, setGoingBackFrom] = useState<number | null>(null);
  const { context, newest } = volume;
  const open = useProfilePlace()?.context === context;
  const toggle = useRef<HTMLButtonElement>(null);
  const goingBack = useLookingAgain(goingBackFrom !== null && goingBackFrom === newest, onChange);
  const { sessions } = usePortalState();
  const isOpen = sessions.some(({ desktop }) => desktop?.id === volume.heldBy?.desktopId);
  const saving = useLookingAgain(volume.heldBy !== null && !isOpen, onChange);

  // The person comes back from a look into one of them.
  const openAtFirst = useRef(open);
  useEffect(() => {
    if (openAtFirst.current) toggle.current?.focus();
  }, []);

  useEffect(() => {
    if (goingBackFrom === null || goingBackFrom === newest) return;
    setGoingBackFrom(null);
    void api.myProfileVersions(context).then(
      (versions) => portal.say(...wordsForGoneBack(versions, goingBackFrom)),
      // The list below says it as well, as soon as it can be read.
      () => undefined,
    );
  }, [api, context, goingBackFrom, newest, portal]);

  // Another function with every new version, so that the list is read again.
  const load = useCallback(
    () => (newest === null ? Promise.resolve([]) : api.myProfileVersions(context)),
    [api, context, newest],
  );

  return (
    <div className="profile-card" data-testid={`profile-${context}`}>
      <div className="profile-head">
        <div className="profile-text">
          {named && <h3>{context}</h3>}
          <p className="profile-saved" role="status">
            {goingBack || saving ? (
              <>
                <Spinner /> {goingBack ? 'Going back' : 'What you did is being saved'}
              </>
            ) : (
              <Saved volume={volume} />
            )}
          </p>
          <p className="profile-note">
            {volume.heldBy && !saving ? 'In use on your desktop now. ' : ''}Room for{' '}
            {wordsForBytes(volume.sizeMiB * MIB)}.
          </p>
        </div>
        {volume.versions > 1 && (
          <button
            ref={toggle}
            type="button"
            className="button button-quiet"
            data-testid={`versions-of-${context}`}
            aria-expanded={open}
            // In the address, so that the browser's Back button finds them open again.
            onClick={() => location.replace(open ? nowhere : hrefOf({ context, look: null }))}
          >
            {open ? 'Hide earlier states' : 'Earlier states'}
          </button>
        )}
      </div>
      {open && <VersionList volume={volume} load={load} busy={goingBack} onChoose={setChosen} />}
      {chosen && (
        <GoBackDialog
          context={context}
          version={chosen}
          onDone={async () => {
            setGoingBackFrom(newest);
            await onChange();
          }}
          onClose={() => setChosen(null)}
        />
      )}
    </div>
  );
}

function Saved({ volume }: Pick<Props, 'volume'>) {
  return volume.savedAt ? <>Saved: {wordsForMoment(volume.savedAt)}</> : <>Nothing was saved yet</>;
}
