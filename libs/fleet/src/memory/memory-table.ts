interface Identified {
  readonly id: string;
}

/** Committed rows. They are never changed, only replaced. */
export class MemoryTable<Row extends Identified> {
  readonly rows = new Map<string, Row>();
  /** The rows that queries look through: those that can still matter. */
  readonly hot = new Map<string, Row>();

  constructor(private readonly isHot: (row: Row) => boolean) {}

  put(row: Row): void {
    this.rows.set(row.id, row);
    if (this.isHot(row)) this.hot.set(row.id, row);
    else this.hot.delete(row.id);
  }
}

/** The rows as one transaction sees them: the committed ones and, over them, its own. */
export class TableView<Row extends Identified> {
  readonly written = new Map<string, Row>();

  constructor(private readonly table: MemoryTable<Row>) {}

  get(id: string): Row | undefined {
    return this.written.get(id) ?? this.table.rows.get(id);
  }

  committed(id: string): Row | undefined {
    return this.table.rows.get(id);
  }

  put(row: Row): void {
    this.written.set(row.id, row);
  }

  /** Of the rows that can still matter, in the order in which they were added. */
  filter(test: (row: Row) => boolean): Row[] {
    const found: Row[] = [];
    for (const committed of this.table.hot.values()) {
      const row = this.written.size === 0 ? committed : (this.written.get(committed.id) ?? committed);
      if (test(row)) found.push(row);
    }
    for (const row of this.written.values()) if (!this.table.hot.has(row.id) && test(row)) found.push(row);
    return found;
  }

  commit(): void {
    for (const row of this.written.values()) this.table.put(row);
  }
}
