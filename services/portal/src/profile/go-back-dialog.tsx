import type { ProfileVersionView } from '#libs/contracts';
import { useApi } from '../state/api-context.js';
import { Modal } from '../ui/modal.js';
import { wordsForTime } from '../words/amount-words.js';

interface Props {
  readonly context: string;
  readonly version: ProfileVersionView;
  onDone(): Promise<void>;
  onClose(): void;
}

/** The question before a person's files are again as they were. */
export function GoBackDialog({ context, version, onDone, onClose }: Props) {
  const api = useApi();
  return (
    <Modal
      title={`Go back to ${wordsForTime(version.createdAt)}?`}
      action="Go back"
      testId="go-back-dialog"
      onClose={onClose}
      onAction={async () => {
        await api.restoreMyProfile(context, version.number);
        await onDone();
      }}
    >
      <p>At your next logon all your files and settings are as they were then. What you changed since is not there.</p>
      <p>How things are now stays in the list, so you can change your mind.</p>
    </Modal>
  );
}
