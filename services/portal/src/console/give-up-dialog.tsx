import type { DesktopView } from '#libs/contracts';
import { Modal } from '../ui/modal.js';
import { wordsForTime } from '../words/amount-words.js';
import { useConsoleClient } from './console-context.js';

interface Props {
  readonly desktop: DesktopView;
  onDone(text: string): Promise<void>;
  onClose(): void;
}

/** The question before what a desktop could not save is lost. */
export function GiveUpDialog({ desktop, onDone, onClose }: Props) {
  const client = useConsoleClient();
  const whose = desktop.username ?? 'its person';
  return (
    <Modal
      title={`Give up what ${whose} wrote on this desktop?`}
      action="Give up for ever"
      grave
      testId="give-up-dialog"
      onClose={onClose}
      onAction={async () => {
        await client.giveUpProfile(desktop.id);
        await onDone(`The desktop of ${whose} goes without being saved.`);
      }}
    >
      <p>
        It ended on {wordsForTime(desktop.stateChangedAt)} and is kept because it cannot be saved. Everything that{' '}
        {whose} wrote since the last version of the profile is lost for ever; the next desktop gets that version, or the
        one before where that is damaged.
      </p>
      <p className="muted fault">{desktop.profileProblem}</p>
    </Modal>
  );
}
