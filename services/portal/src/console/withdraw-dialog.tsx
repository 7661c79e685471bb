import { useState } from 'react';
import type { AppView } from '#libs/contracts';
import { Modal } from '../ui/modal.js';
import { useConsoleClient } from './console-context.js';

interface Props {
  readonly app: AppView;
  readonly role: string;
  onDone(text: string): Promise<void>;
  onClose(): void;
}

/** The question before a role loses an application. */
export function WithdrawDialog({ app, role, onDone, onClose }: Props) {
  const client = useConsoleClient();
  const [now, setNow] = useState(false);
  return (
    <Modal
      title={`Withdraw ${app.displayName} from ${role}?`}
      action="Withdraw"
      grave
      testId="withdraw-dialog"
      onClose={onClose}
      onAction={async () => {
        await client.withdraw(app.name, role, now);
        await onDone(`${app.displayName} is withdrawn from ${role}.`);
      }}
    >
      <p>People of this role no longer get it at their next logon, unless another role of theirs gives it to them.</p>
      <label className="check">
        <input
          type="checkbox"
          data-testid="withdraw-now"
          checked={now}
          onChange={(event) => setNow(event.target.checked)}
        />
        <span>
          Also take it from desktops in use now
          <span className="check-hint">Its windows there are closed, and what is not saved in them is lost.</span>
        </span>
      </label>
    </Modal>
  );
}
