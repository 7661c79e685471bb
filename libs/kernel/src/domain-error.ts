/** What a caller of the API is told; `code` is stable and documented, `status` is the HTTP status it maps to. */
export interface ErrorDefinition {
  readonly code: string;
  readonly status: number;
  /** One line, the same for every occurrence. */
  readonly title: string;
}

/** Facts about one occurrence that the caller may see, e.g. `{ retryAfterSeconds: 30 }`. Never a secret. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** An error with a stable code: the only kind whose message reaches a client. */
export class DomainError extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly facts: ErrorFacts;

  constructor(definition: ErrorDefinition, detail?: string, options: { cause?: unknown; facts?: ErrorFacts } = {}) {
    super(detail ?? definition.title, { cause: options.cause });
    this.name = 'DomainError';
    this.code = definition.code;
    this.status = definition.status;
    this.title = definition.title;
    this.facts = options.facts ?? {};
  }

  /** True when `error` is a DomainError made from `definition`. */
  static is(error: unknown, definition: ErrorDefinition): error is DomainError {
    return error instanceof DomainError && error.code === definition.code;
  }
}
