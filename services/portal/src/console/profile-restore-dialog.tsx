import type { ProfileVersionView } from '#libs/contracts';
import { Modal } from '../ui/modal.js';
import { wordsForTime } from '../words/amount-words.js';
import { useConsoleClient } from './console-context.js';

interface Props {
  readonly username: string;
  readonly context: string;
  readonly version: ProfileVersionView;
  onDone(text: string): Promise<void>;
  onClose(): void;
}

/** The question before an older version of a person's profile is the newest again. */
export function ProfileRestoreDialog({ username, context, version, onDone, onClose }: Props) {
  const client = useConsoleClient();
  return (
    <Modal
      title={`Restore version ${version.number} for ${username}?`}
      action="Restore"
      testId="restore-dialog"
      onClose={onClose}
      onAction={async () => {
        await client.restoreProfile(username, context, version.number);
        await onDone(`Version ${version.number} is being restored for ${username}. It takes some seconds.`);
      }}
    >
      <p>
        At the next logon their profile “{context}” is as it was on {wordsForTime(version.createdAt)}. It becomes a
        version of its own: all the others stay.
      </p>
    </Modal>
  );
}
