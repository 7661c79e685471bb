import { DOCUMENT, DOCUMENT_BYTES } from './home.js';

const STEP_BYTES = 1000;
const CHANGED_SHARE = 0.01;

/** How 1 % of a document changes. */
export interface DocumentChange {
  readonly name: string;
  /** Each as long as the others, and as far from the next. */
  readonly places: number;
  /** Written as most office programs do: whole, beside the old one, and renamed. */
  readonly isRewritten?: boolean;
}

export const documentChanges: readonly DocumentChange[] = [
  { name: 'in one place', places: 1 },
  { name: 'in 8 places', places: 8 },
  { name: 'in one place, and saved as a new file', places: 1, isRewritten: true },
];

/** Shell that makes such a change in a home, elsewhere in the document each round, and has it durable. */
export function changeScript(home: string, { places, isRewritten }: DocumentChange, round: number): string {
  const steps = (DOCUMENT_BYTES * CHANGED_SHARE) / places / STEP_BYTES;
  const spacing = DOCUMENT_BYTES / STEP_BYTES / places;
  const path = `${home}/${DOCUMENT}`;
  const target = isRewritten ? `${path}.new` : path;
  const writes = Array.from({ length: places }, (_, n) => {
    const seek = Math.floor(spacing * n + ((round * 577) % (spacing - steps)));
    return `dd if=/dev/urandom of=${target} bs=${STEP_BYTES} count=${steps} seek=${seek} conv=notrunc status=none`;
  });
  const around = isRewritten ? [[`cp ${path} ${target}`], [`mv ${target} ${path}`]] : [[], []];
  return [...(around[0] ?? []), ...writes, `sync ${target}`, ...(around[1] ?? [])].join('; ');
}
