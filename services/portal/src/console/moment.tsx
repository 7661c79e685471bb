import { wordsForDay, wordsForTime } from '../words/amount-words.js';

interface Props {
  readonly at: string;
  readonly by: string;
}

/** When and by whom something was done; the time of day on a closer look. */
export function Moment({ at, by }: Props) {
  return (
    <>
      <time className="line nowrap" dateTime={at} title={wordsForTime(at)}>
        {wordsForDay(at)}
      </time>
      <span className="line muted">by {by}</span>
    </>
  );
}
