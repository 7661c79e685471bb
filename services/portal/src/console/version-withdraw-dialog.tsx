import type { AppVersionView, AppView } from '#libs/contracts';
import { Modal } from '../ui/modal.js';
import { useConsoleClient } from './console-context.js';
import { newestOf } from './console-words.js';

interface Props {
  readonly app: AppView;
  readonly version: AppVersionView;
  onDone(text: string): Promise<void>;
  onClose(): void;
}

/** The question before nobody gets a version any more; says what people get in its place. */
export function VersionWithdrawDialog({ app, version, onDone, onClose }: Props) {
  const client = useConsoleClient();
  const others = app.versions.filter((each) => each.number !== version.number);
  const next = newestOf('broad', others);
  const fixed = app.assignments.filter((assignment) => assignment.version === version.number);
  return (
    <Modal
      title={`Withdraw ${app.displayName} ${version.label}?`}
      action="Withdraw"
      grave
      testId="withdraw-version-dialog"
      onClose={onClose}
      onAction={async () => {
        await client.updateVersion(app.name, version.number, { state: 'withdrawn' });
        await onDone(`${app.displayName} ${version.label} is withdrawn.`);
      }}
    >
      <p>
        No desktop gets it any more; those that have it now keep it until they are discarded.{' '}
        {next
          ? `From their next logon on, people get ${next.label} instead.`
          : 'There is no other version: people do without it.'}
      </p>
      {fixed.length > 0 && (
        <p>
          Set to always use this version, and left with nothing:{' '}
          <strong>{fixed.map((each) => each.role).join(', ')}</strong>.
        </p>
      )}
    </Modal>
  );
}
