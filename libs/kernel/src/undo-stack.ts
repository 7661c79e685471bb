/** Undoes the finished steps of a multi-step operation, last first, when a later step fails. */
export class UndoStack {
  private readonly steps: { what: string; undo: () => Promise<void> | void }[] = [];

  /** Remembers how to undo a step that has just succeeded. */
  add(what: string, undo: () => Promise<void> | void): void {
    this.steps.push({ what, undo });
  }

  /** Forgets all steps: the operation as a whole has succeeded. */
  commit(): void {
    this.steps.length = 0;
  }

  /**
   * Runs every remembered undo, last first, each even when an earlier one failed.
   * @throws AggregateError naming the steps that could not be undone.
   */
  async unwind(): Promise<void> {
    const failures: Error[] = [];
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      try {
        await step.undo();
      } catch (cause) {
        failures.push(new Error(`could not undo: ${step.what}`, { cause }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map((f) => f.message).join('; '));
  }

  /** Runs `operation`; when it throws, unwinds and throws the first error again. */
  static async run<T>(operation: (undo: UndoStack) => Promise<T>): Promise<T> {
    const undo = new UndoStack();
    try {
      const result = await operation(undo);
      undo.commit();
      return result;
    } catch (error) {
      await undo.unwind().catch((unwindError: unknown) => {
        if (error instanceof Error && error.cause === undefined) error.cause = unwindError;
      });
      throw error;
    }
  }
}
