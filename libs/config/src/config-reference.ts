import { type Variable, variables } from './variables.js';

export interface ConfigReference {
  readonly name: string;
  /** For a table: empty when there is none. */
  readonly default: string;
  readonly meaning: string;
  /** True when NAME_FILE may name a file that holds the value. */
  readonly secret: boolean;
}

/** All variables with their defaults and meanings. */
export const configReference: readonly ConfigReference[] = Object.entries<Variable<unknown>>(variables).map(
  ([name, { fallback, fallbackText, meaning, secret }]) => ({
    name,
    default: fallbackText ?? (fallback ? `\`${fallback}\`` : ''),
    meaning,
    secret: secret ?? false,
  }),
);

/** The table of the README, in Markdown. */
export function configTable(): string {
  const rows = configReference.map(({ name, secret, ...row }) => {
    const variable = secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``;
    return `| ${variable} | ${row.default} | ${row.meaning} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}
