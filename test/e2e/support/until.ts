import { until as look } from '#libs/testing';

/** Real machines take their time: a minute unless told otherwise. */
export const until: typeof look = (what, condition, timeoutMs = 60_000) => look(what, condition, timeoutMs);
