import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineImage } from '../machine.js';

/** An image whose kernel does nothing, for tests only: for what needs a machine, but nobody in it. */
export async function makeIdleImage(dir: string): Promise<MachineImage> {
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
  const path = (name: string) => join(dir, name);
  await writeFile(path('kernel'), kernel);
  await writeFile(path('initrd'), Buffer.alloc(512));
  await writeFile(path('root.img'), Buffer.alloc(1 << 20));
  for (const name of ['kernel', 'initrd', 'root.img']) await chmod(path(name), 0o644);
  return {
    digest: 'idle',
    rootDiskPath: path('root.img'),
    rootDiskFormat: 'raw',
    kernelPath: path('kernel'),
    initrdPath: path('initrd'),
    kernelArguments: '',
  };
}
