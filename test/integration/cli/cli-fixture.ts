import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LAYER_CHUNK_BYTES } from '#libs/app-layers';
import type { AppLayerManifest } from '#libs/contracts';
import { versionIdOf } from '#libs/volumes';
import { appManifest } from '../../fixtures/app-layers.js';

/** As built: a process of its own runs no TypeScript. */
const program = resolve(import.meta.dirname, '../../../dist/services/cli/src/goldleaf.js');

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** What it reads on standard input. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Given the process as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** The `goldleaf` command with a home and a state folder of its own. */
export class CliFixture {
  private constructor(readonly folder: string) {}

  static async make(): Promise<CliFixture> {
    const folder = await mkdtemp(join(tmpdir(), 'goldleaf-cli-'));
    await chmod(folder, 0o711);
    return new CliFixture(folder);
  }

  get stateDir(): string {
    return join(this.folder, 'state');
  }

  get appKeysDir(): string {
    return join(this.stateDir, 'app-keys');
  }

  get signInPath(): string {
    return join(this.folder, 'config/goldleaf/sign-in.json');
  }

  async run(args: readonly string[], { input = '', env = {}, onStart }: RunOptions = {}): Promise<Outcome> {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: this.folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: this.folder,
        XDG_CONFIG_HOME: join(this.folder, 'config'),
        GOLDLEAF_STATE_DIR: this.stateDir,
        ...env,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    onStart?.(child);
    // It may have ended without reading.
    child.stdin.on('error', () => undefined).end(input);
    const [exitCode] = await once(child, 'close');
    return { exitCode, stdout, stderr };
  }

  /** Runs with `--json`. @throws unless standard output is exactly one JSON document */
  async json<T>(args: readonly string[], options?: RunOptions): Promise<Outcome & { document: T }> {
    const outcome = await this.run([...args, '--json'], options);
    return { ...outcome, document: JSON.parse(outcome.stdout) };
  }

  signIn(url: string, username = 'ivan'): Promise<Outcome> {
    return this.run(['login', '--url', url, '--username', username], { input: `${username}-demo\n` });
  }

  /** A folder as `goldleaf app build` leaves it, with bytes that stand for a layer. */
  async layerFolder(name: string, layerBytes: number): Promise<{ dir: string; manifest: AppLayerManifest }> {
    const dir = join(this.folder, `${name}-layer`);
    const layer = `${name}-0.erofs`;
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, layer), randomBytes(layerBytes));
    const volumeId = await versionIdOf(join(dir, layer), { chunkBytes: LAYER_CHUNK_BYTES });
    const sizes = { layerBytes, installedBytes: layerBytes * 2 };
    const manifest = appManifest(name, '1.0', { displayName: 'Call notes', volumeId, ...sizes });
    await writeFile(join(dir, 'layer.json'), JSON.stringify({ formatVersion: 2, layer, manifest }));
    return { dir, manifest };
  }

  async destroy(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
