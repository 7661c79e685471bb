/** What a process waits for that is dead. */
export const never = (): Promise<never> => new Promise(() => undefined);
