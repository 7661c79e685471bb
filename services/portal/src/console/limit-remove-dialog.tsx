import { Modal } from '../ui/modal.js';
import { useConsoleClient } from './console-context.js';

interface Props {
  readonly role: string;
  onDone(text: string): Promise<void>;
  onClose(): void;
}

/** The question before the default holds for a role. */
export function LimitRemoveDialog({ role, onDone, onClose }: Props) {
  const client = useConsoleClient();
  return (
    <Modal
      title={`Use the default size for ${role}?`}
      action="Use default"
      testId="limit-remove-dialog"
      onClose={onClose}
      onAction={async () => {
        await client.setLimit(role, null);
        await onDone(`The default size holds for ${role}.`);
      }}
    >
      <p>Profiles that are larger than the default already stay as they are.</p>
    </Modal>
  );
}
