import { useEffect, useState } from 'react';

const lookAgainAfterMs = 1_000;
/** By then it has happened, or IT sees why not. */
const lookForMs = 60_000;

/** Looks again and again at what is about to change. @returns whether it may still be expected */
export function useLookingAgain(expected: boolean, look: () => Promise<void>): boolean {
  const [late, setLate] = useState(false);

  useEffect(() => {
    if (!expected) return;
    setLate(false);
    const timer = setInterval(() => void look(), lookAgainAfterMs);
    const end = setTimeout(() => {
      clearInterval(timer);
      setLate(true);
    }, lookForMs);
    return () => {
      clearInterval(timer);
      clearTimeout(end);
    };
  }, [expected, look]);

  return expected && !late;
}
