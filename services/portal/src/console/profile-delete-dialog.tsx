import { useId, useState } from 'react';
import { Modal } from '../ui/modal.js';
import { useConsoleClient } from './console-context.js';

interface Props {
  readonly username: string;
  readonly context: string;
  onDone(text: string): Promise<void>;
  onClose(): void;
}

/** The question before a profile is gone for ever; the name has to be typed. */
export function ProfileDeleteDialog({ username, context, onDone, onClose }: Props) {
  const client = useConsoleClient();
  const id = useId();
  const [typed, setTyped] = useState('');
  return (
    <Modal
      title={`Delete the profile “${context}” of ${username}?`}
      action="Delete for ever"
      grave
      ready={typed.trim() === username}
      testId="delete-dialog"
      onClose={onClose}
      onAction={async () => {
        await client.deleteProfile(username, context);
        await onDone(`The profile “${context}” of ${username} is deleted.`);
      }}
    >
      <p>
        Its key is destroyed: nobody can ever read any of its versions here again. Their next logon begins with an empty
        profile. A desktop that has it open goes on and keeps nothing.
      </p>
      <p>
        Then run <code>goldleaf store replicate</code> to each copy of the store. Backups made before can be read with
        the master key until they are gone.
      </p>
      <label className="field" htmlFor={id}>
        <span>
          Type <strong>{username}</strong> to delete it
        </span>
        <input
          id={id}
          type="text"
          data-testid="delete-typed"
          value={typed}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
        />
      </label>
    </Modal>
  );
}
