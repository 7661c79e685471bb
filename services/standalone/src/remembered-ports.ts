import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const portsSchema = z.record(z.string(), z.int().min(1).max(65_535));

/** The ports that embedded servers had last time, so that they get the same again where these are free. */
export class RememberedPorts {
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private readonly ports: Record<string, number>,
  ) {}

  /** A file that is missing or damaged is as good as none: the ports are chosen anew. */
  static async load(file: string): Promise<RememberedPorts> {
    const text = await readFile(file, 'utf8').catch(() => '{}');
    const parsed = portsSchema.safeParse(parseJson(text));
    return new RememberedPorts(file, parsed.success ? parsed.data : {});
  }

  get(name: string): number | undefined {
    return this.ports[name];
  }

  async remember(name: string, port: number): Promise<void> {
    if (this.ports[name] === port) return;
    this.ports[name] = port;
    // Servers start at the same time: their writes share the temporary file, so they take turns.
    this.writing = this.writing.then(() => this.write());
    await this.writing;
  }

  private async write(): Promise<void> {
    await writeFile(`${this.file}.new`, JSON.stringify(this.ports));
    await rename(`${this.file}.new`, this.file);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
