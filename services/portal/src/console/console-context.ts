import { createContext, useContext } from 'react';
import type { ConsoleClient } from './console-client.js';

export const ConsoleContext = createContext<ConsoleClient | null>(null);

export function useConsoleClient(): ConsoleClient {
  const client = useContext(ConsoleContext);
  if (!client) throw new Error('ConsoleContext is missing');
  return client;
}
