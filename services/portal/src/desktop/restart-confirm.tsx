import { useEffect, useRef } from 'react';

interface Props {
  /** What becomes of the person's work. */
  readonly text: string;
  onCancel(): void;
  onConfirm(): void;
}

/** The one question before a desktop is discarded. The harmless answer has the focus. */
export function RestartConfirm({ text, onCancel, onConfirm }: Props) {
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => cancel.current?.focus(), []);
  return (
    <div className="bar-panel" role="alertdialog" aria-labelledby="restart-title" aria-describedby="restart-text">
      <h2 id="restart-title">Restart with a clean desktop?</h2>
      <p id="restart-text">{text}</p>
      <div className="bar-actions">
        <button ref={cancel} type="button" className="button button-ghost" onClick={onCancel}>
          Keep working
        </button>
        <button type="button" className="button button-gold" data-testid="confirm-restart" onClick={onConfirm}>
          Restart clean
        </button>
      </div>
    </div>
  );
}
