import { readFileSync } from 'node:fs';
import { Secret } from './secret.js';
import { type Variable, type VariableName, type VariableValue, variables } from './variables.js';

/** The checked value of every variable; undefined where it is unset and has no default, or where it is wrong. */
export type Values = { readonly [Name in VariableName]: VariableValue<Name> | undefined };

export interface Reading {
  readonly values: Values;
  /** `NAME: expected ...` for each wrong variable. */
  readonly faults: string[];
  readonly warnings: string[];
}

/** Reads and checks every variable, without giving up at the first wrong one. */
export function readVariables(env: NodeJS.ProcessEnv): Reading {
  const faults: string[] = [];
  const read = (name: string, definition: Variable<unknown>): unknown => {
    const raw = definition.secret ? secretText(name, env, faults) : env[name];
    const given = raw === undefined || raw.trim() === '' ? definition.fallback : raw.trim();
    if (given === undefined) return undefined;
    const parsed = definition.schema.safeParse(given);
    if (parsed.success) return parsed.data;
    faults.push(`${name}: expected ${definition.expected}`);
    return undefined;
  };
  const values = Object.fromEntries(
    Object.entries<Variable<unknown>>(variables).map(([name, definition]) => [name, read(name, definition)]),
  ) as Values;
  return { values, faults, warnings: unknownVariables(env) };
}

/** The value itself, or what the file named by NAME_FILE holds. */
function secretText(name: string, env: NodeJS.ProcessEnv, faults: string[]): string | undefined {
  const file = env[`${name}_FILE`];
  if (!file) return env[name];
  if (env[name]) {
    faults.push(`${name}: expected either ${name} or ${name}_FILE, not both`);
    return undefined;
  }
  try {
    return readFileSync(file, 'utf8');
  } catch {
    faults.push(`${name}_FILE: expected the path of a file that can be read`);
    return undefined;
  }
}

function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = new Set(
    Object.entries<Variable<unknown>>(variables).flatMap(([name, { secret }]) =>
      secret ? [name, `${name}_FILE`] : [name],
    ),
  );
  return Object.keys(env)
    .filter((name) => name.startsWith('GOLDLEAF_') && !name.startsWith('GOLDLEAF_TEST_') && !known.has(name))
    .map((name) => `${name} means nothing to Goldleaf: a typing error?`);
}

/** A value as a Secret. */
export const asSecret = (value: string | undefined): Secret | undefined =>
  value === undefined ? undefined : new Secret(value);
