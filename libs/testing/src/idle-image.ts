import { createHash } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuiltImage, type ImageManifest, verifyImage } from '#libs/images';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/**
 * An image whose kernel does nothing: for what needs a machine, but nobody in it. Its machines start in a moment, stand
 * still, and have no guest agent.
 * @param dir its folder, made when it is missing
 */
export async function makeIdleImage(dir: string): Promise<BuiltImage> {
  const content = { vmlinuz: idleKernel(), 'initrd.img': Buffer.alloc(512), 'root.img': Buffer.alloc(1 << 20) };
  const file = (bytes: Buffer) => ({ bytes: bytes.length, sha256: sha256(bytes) });
  const manifest: ImageManifest = {
    formatVersion: 1,
    name: 'idle',
    recipeDigest: sha256('no recipe'),
    digest: sha256('idle'),
    kernelArguments: '',
    builtAt: new Date(0).toISOString(),
    files: {
      vmlinuz: file(content.vmlinuz),
      'initrd.img': file(content['initrd.img']),
      'root.img': file(content['root.img']),
    },
  };
  await mkdir(dir, { recursive: true });
  for (const [name, bytes] of Object.entries({ ...content, 'image.json': JSON.stringify(manifest) })) {
    await writeFile(join(dir, name), bytes);
    await chmod(join(dir, name), 0o644);
  }
  return verifyImage(dir);
}

function idleKernel(): Buffer {
  const kernel = Buffer.alloc(4096);
  // The head of a Linux boot image (protocol 2.6), with one sector of set-up and no more.
  kernel[0x1f1] = 1;
  kernel.writeUInt16LE(0xaa55, 0x1fe);
  // Its first instruction is at 0x200: a jump over the head, to "stop for good" (cli; hlt; jump back).
  Buffer.from([0xeb, 0x66]).copy(kernel, 0x200);
  kernel.write('HdrS', 0x202, 'latin1');
  kernel.writeUInt16LE(0x0206, 0x206);
  kernel[0x211] = 1;
  kernel.writeUInt32LE(0x100000, 0x214);
  kernel.writeUInt32LE(0x37ffffff, 0x22c);
  kernel.writeUInt32LE(255, 0x238);
  Buffer.from([0xfa, 0xf4, 0xeb, 0xfc]).copy(kernel, 0x268);
  return kernel;
}
