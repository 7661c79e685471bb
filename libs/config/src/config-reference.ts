import { type Variable, variables } from './variables.js';

export interface ConfigReference {
  readonly name: string;
  /** For a table: empty when there is none. */
  readonly default: string;
  readonly meaning: string;
  /** True when NAME_FILE may name a file that holds the value. */
  readonly secret: boolean;
}

/** All variables with their defaults and meanings: what the README's table is checked against. */
export const configReference: readonly ConfigReference[] = Object.entries<Variable<unknown>>(variables).map(
  ([name, { fallback, fallbackText, meaning, secret }]) => ({
    name,
    default: fallbackText ?? (fallback ? `\`${fallback}\`` : ''),
    meaning,
    secret: secret ?? false,
  }),
);
