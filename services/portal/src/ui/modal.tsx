import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { toApiError } from '../api/api-error.js';
import { usePortal } from '../state/portal-context.js';
import { wordsForRefusal } from '../words/refusal-words.js';
import { Spinner } from './spinner.js';

interface Props {
  readonly title: string;
  readonly children: ReactNode;
  readonly action: string;
  /** What the action does is hard to take back. */
  readonly grave?: boolean;
  /** False: the action cannot be taken yet. */
  readonly ready?: boolean;
  readonly testId: string;
  /** Done when it resolves; a failure is shown in the dialog and nothing closes. */
  onAction(): Promise<void>;
  onClose(): void;
}

/** A question over the page: one action, one way out. Escape is the way out, and the focus returns where it was. */
export function Modal({ title, children, action, grave = false, ready = true, testId, onAction, onClose }: Props) {
  const portal = usePortal();
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);

  useEffect(() => {
    const shown = dialog.current;
    if (shown && !shown.open) shown.showModal();
  }, []);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy || !ready) return;
    setBusy(true);
    setRefusal(null);
    try {
      await onAction();
      onClose();
    } catch (error) {
      const problem = toApiError(error);
      setBusy(false);
      if (!portal.signedOutBy(problem)) setRefusal(wordsForRefusal(problem));
    }
  };

  return (
    <dialog
      ref={dialog}
      className="modal"
      data-testid={testId}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={titleId}>{title}</h2>
        <div className="modal-body">{children}</div>
        <div aria-live="assertive">
          {refusal && (
            <p className="form-message form-message-error" data-testid="refusal">
              {refusal}
            </p>
          )}
        </div>
        <div className="modal-actions">
          <button type="button" className="button button-quiet" data-testid="modal-cancel" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={grave ? 'button button-red' : 'button button-gold'}
            data-testid="modal-action"
            disabled={busy || !ready}
          >
            {busy && <Spinner />} {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
