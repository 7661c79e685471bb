import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/api-error.js';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { useNow } from '../state/use-now.js';
import { Brand, Logo } from '../ui/logo.js';
import { Spinner } from '../ui/spinner.js';
import { wordsForProblem, wordsForTooManyAttempts } from '../words/problem-words.js';

const closedWithoutWordSeconds = 30;

export function SignInPage() {
  const portal = usePortal();
  const { notice } = usePortalState();
  const nameField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [closedUntilMs, setClosedUntilMs] = useState<number | null>(null);
  const nowMs = useNow(500, closedUntilMs !== null);
  const secondsLeft = closedUntilMs === null ? 0 : Math.ceil((closedUntilMs - nowMs) / 1000);

  useEffect(() => nameField.current?.focus(), []);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const name = nameField.current;
    const password = passwordField.current;
    if (!name || !password || busy || secondsLeft > 0) return;
    const missing = name.value.trim() === '' ? name : password.value === '' ? password : null;
    portal.dismissNotice();
    if (missing) {
      setError(missing === name ? 'Enter your user name.' : 'Enter your password.');
      missing.focus();
      return;
    }
    // Uncontrolled on purpose: the password lives in the field alone, and leaves it before the request is sent.
    const secret = password.value;
    password.value = '';
    setBusy(true);
    setError(null);
    setClosedUntilMs(null);
    try {
      await portal.signIn(name.value.trim(), secret);
    } catch (caught) {
      const problem = caught instanceof ApiError ? caught : new ApiError('unreachable', 0);
      if (problem.code === 'too-many-attempts') {
        setClosedUntilMs(performance.now() + (problem.retryAfterSeconds ?? closedWithoutWordSeconds) * 1000);
      } else {
        setError(wordsForProblem(problem));
      }
      setBusy(false);
      password.focus();
    }
  };

  const message = closedUntilMs !== null ? wordsForTooManyAttempts(secondsLeft) : error;
  const watchCapsLock = (event: KeyboardEvent): void => setCapsLock(event.getModifierState('CapsLock'));

  return (
    <div className="sign-in">
      <aside className="sign-in-side" aria-hidden="true">
        <Brand size={32} />
        <div className="sign-in-leaf">
          <Logo size={260} />
        </div>
        <p>A clean desktop at every sign-in.</p>
      </aside>
      <main className="sign-in-main">
        <form className="sign-in-form" onSubmit={(event) => void submit(event)} noValidate>
          <div className="sign-in-brand">
            <Brand />
          </div>
          <h1>Sign in</h1>
          <p className="sign-in-lead">Use your organisation's name and password.</p>
          <div className="message-place" aria-live="assertive">
            {message ? (
              <p className="form-message form-message-error" id="sign-in-message" data-testid="message">
                {message}
              </p>
            ) : (
              notice && (
                <p className={`form-message form-message-${notice.kind}`} data-testid="message">
                  {notice.text}
                </p>
              )
            )}
          </div>
          <label className="field">
            <span>User name</span>
            <input
              ref={nameField}
              name="username"
              type="text"
              data-testid="username"
              autoComplete="username"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              maxLength={256}
              aria-invalid={error !== null}
              aria-describedby={message ? 'sign-in-message' : undefined}
            />
          </label>
          <label className="field">
            <span>Password</span>
            <input
              ref={passwordField}
              name="password"
              type="password"
              data-testid="password"
              autoComplete="current-password"
              maxLength={1024}
              aria-invalid={error !== null}
              aria-describedby={capsLock ? 'caps-lock' : message ? 'sign-in-message' : undefined}
              onKeyDown={watchCapsLock}
              onKeyUp={watchCapsLock}
              onBlur={() => setCapsLock(false)}
            />
            <span className="field-hint" id="caps-lock" role="status">
              {capsLock ? 'Caps Lock is on' : ''}
            </span>
          </label>
          <button
            type="submit"
            className="button button-gold button-wide"
            data-testid="sign-in"
            disabled={busy || secondsLeft > 0}
          >
            {busy ? (
              <>
                <Spinner /> Signing in
              </>
            ) : (
              'Sign in'
            )}
          </button>
        </form>
      </main>
    </div>
  );
}
