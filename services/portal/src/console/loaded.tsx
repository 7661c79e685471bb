import type { ReactNode } from 'react';
import type { Resource } from '../state/use-resource.js';
import { Spinner } from '../ui/spinner.js';
import { wordsForProblem } from '../words/problem-words.js';

interface Props<T> {
  readonly resource: Resource<T>;
  readonly children: (data: T) => ReactNode;
}

/** What was read, or words for why it is not there; an old answer stays while a new one fails. */
export function Loaded<T>({ resource, children }: Props<T>) {
  const { data, problem, reload } = resource;
  if (data === null && problem === null) {
    return (
      <p className="console-loading" role="status">
        <Spinner /> Loading
      </p>
    );
  }
  return (
    <>
      {problem && (
        <div className="console-problem" role="alert" data-testid="console-problem">
          <span>
            {wordsForProblem(problem)} {data !== null && 'What you see may be out of date.'}
          </span>
          <button type="button" className="button button-quiet" onClick={() => void reload()}>
            Try again
          </button>
        </div>
      )}
      {data !== null && children(data)}
    </>
  );
}
