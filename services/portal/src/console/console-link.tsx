import type { MouseEvent, ReactNode } from 'react';
import { goToConsole } from './console-route.js';

interface LinkProps {
  readonly to: string;
  readonly className?: string;
  readonly current?: boolean;
  readonly testId?: string;
  readonly children: ReactNode;
}

/** A link within the console that does not load the page again. */
export function ConsoleLink({ to, className, current, testId, children }: LinkProps) {
  const follow = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    goToConsole(to);
  };
  return (
    <a
      href={to}
      className={className}
      aria-current={current ? 'page' : undefined}
      data-testid={testId}
      onClick={follow}
    >
      {children}
    </a>
  );
}
