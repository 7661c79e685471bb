import { useEffect, useId, useState } from 'react';
import type { AppAssignmentKind, AppAssignmentView, AppMode, AppView } from '#libs/contracts';
import { Modal } from '../ui/modal.js';
import { choiceOf, parseChoice, versionChoices } from './assign-choices.js';
import { useConsoleClient } from './console-context.js';
import { RadioCards } from './radio-cards.js';

interface Props {
  readonly app: AppView;
  readonly apps: readonly AppView[];
  /** The assignment to be changed; null for a new one. */
  readonly present: AppAssignmentView | null;
  onDone(text: string): Promise<void>;
  onClose(): void;
}

/** Gives an application to a role: to all or for choosing, which version, when it comes. */
export function AssignDialog({ app, apps, present, onDone, onClose }: Props) {
  const client = useConsoleClient();
  const id = useId();
  const [role, setRole] = useState(present?.role ?? '');
  const [kind, setKind] = useState<AppAssignmentKind>(present?.kind ?? 'assigned');
  const [choice, setChoice] = useState(present ? choiceOf(present) : 'broad');
  const [mode, setMode] = useState<AppMode>(present?.mode ?? 'at-logon');
  const [now, setNow] = useState(false);
  const [roles, setRoles] = useState<readonly string[]>([]);

  useEffect(() => {
    // Suggestions only: without them a role can still be typed.
    client.knownRoles().then(setRoles, () => undefined);
  }, [client]);

  const taken = app.assignments.map((assignment) => assignment.role);
  const assignedElsewhere = apps.flatMap((each) => each.assignments.map((assignment) => assignment.role));
  const suggestions = [...new Set([...roles, ...assignedElsewhere])].filter((each) => !taken.includes(each)).sort();

  return (
    <Modal
      title={present ? `What ${present.role} gets of ${app.displayName}` : `Assign ${app.displayName}`}
      action={present ? 'Save' : 'Assign'}
      testId="assign-dialog"
      onClose={onClose}
      onAction={async () => {
        const name = role.trim();
        await client.assign(app.name, name, { ...parseChoice(choice), kind, mode, now });
        await onDone(present ? `Changed for ${name}.` : `${app.displayName} is assigned to ${name}.`);
      }}
    >
      {!present && (
        <label className="field" htmlFor={`${id}-role`}>
          <span>Role (directory group)</span>
          <input
            id={`${id}-role`}
            type="text"
            data-testid="assign-role"
            list={`${id}-roles`}
            value={role}
            required
            maxLength={256}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setRole(event.target.value)}
          />
          <datalist id={`${id}-roles`}>
            {suggestions.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </label>
      )}
      <RadioCards<AppAssignmentKind>
        legend="Who of this role"
        name="kind"
        value={kind}
        onChange={setKind}
        options={[
          { value: 'assigned', title: 'Everybody has it', text: 'It is on their desktops.' },
          { value: 'allowed', title: 'They may add it', text: 'Whoever adds it has it from then on.' },
        ]}
      />
      {present?.kind === 'assigned' && kind === 'allowed' && (
        <p className="modal-note">Who has it because of this role loses it, unless they add it.</p>
      )}
      <RadioCards<AppMode>
        legend="When it comes"
        name="mode"
        value={mode}
        onChange={setMode}
        options={[
          { value: 'at-logon', title: 'At logon', text: 'There as soon as the desktop is.' },
          { value: 'on-demand', title: 'When first opened', text: 'In the menu; added at its first start.' },
        ]}
      />
      <label className="field" htmlFor={`${id}-version`}>
        <span>Version</span>
        <select
          id={`${id}-version`}
          data-testid="assign-version"
          value={choice}
          onChange={(event) => setChoice(event.target.value)}
        >
          {versionChoices(app.versions, present).map((each) => (
            <option key={each.value} value={each.value}>
              {each.words}
            </option>
          ))}
        </select>
      </label>
      <label className="check">
        <input
          type="checkbox"
          data-testid="assign-now"
          checked={now}
          onChange={(event) => setNow(event.target.checked)}
        />
        <span>
          Also on desktops in use now
          <span className="check-hint">Otherwise it takes effect at each person’s next logon.</span>
        </span>
      </label>
    </Modal>
  );
}
