import { useId, useState } from 'react';
import type { ProfileLimitView } from '#libs/contracts';
import { Modal } from '../ui/modal.js';
import { wordsForMiB } from '../words/amount-words.js';
import { useConsoleClient } from './console-context.js';

interface Props {
  /** The limit to change; null for a new one. */
  readonly present: ProfileLimitView | null;
  onDone(text: string): Promise<void>;
  onClose(): void;
}

const mebibytesPerGibibyte = 1024;

/** Sets how large the profiles of a role may be. */
export function LimitDialog({ present, onDone, onClose }: Props) {
  const client = useConsoleClient();
  const id = useId();
  const [role, setRole] = useState(present?.role ?? '');
  const [size, setSize] = useState(present ? String(present.sizeMiB / mebibytesPerGibibyte) : '10');
  return (
    <Modal
      title={present ? `Profile size for ${present.role}` : 'Set the profile size for a role'}
      action="Save"
      testId="limit-dialog"
      onClose={onClose}
      onAction={async () => {
        const sizeMiB = Math.round(Number(size) * mebibytesPerGibibyte);
        await client.setLimit(role.trim(), sizeMiB);
        await onDone(`Profiles of ${role.trim()} may be ${wordsForMiB(sizeMiB)} from the next logon on.`);
      }}
    >
      {!present && (
        <label className="field" htmlFor={`${id}-role`}>
          <span>Role (directory group)</span>
          <input
            id={`${id}-role`}
            type="text"
            data-testid="limit-role"
            value={role}
            required
            maxLength={256}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setRole(event.target.value)}
          />
        </label>
      )}
      <label className="field" htmlFor={`${id}-size`}>
        <span>Size in GiB</span>
        <input
          id={`${id}-size`}
          type="number"
          data-testid="limit-size"
          value={size}
          required
          min={0.0625}
          max={1024}
          step="any"
          onChange={(event) => setSize(event.target.value)}
        />
      </label>
    </Modal>
  );
}
