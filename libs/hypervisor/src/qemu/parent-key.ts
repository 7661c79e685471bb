import { createHash } from 'node:crypto';
import type { MachineImage, MachineShape } from '../machine.js';
import { IDENTITY_PROGRAM } from './identity-program.js';
import { type Accelerator, qemuArguments } from './qemu-arguments.js';

export interface ParentInputs {
  readonly image: MachineImage;
  readonly shape: MachineShape;
  readonly accelerator: Accelerator;
  readonly qemuVersion: string;
}

/** Counted up when what is done to a parent before it is saved changes. */
const RECIPE_VERSION = 1;

/**
 * Names all that a saved machine depends on: another image, shape, QEMU or machine option is another parent. The whole
 * command line counts, so that no option can be forgotten.
 */
export function parentKey({ image, shape, accelerator, qemuVersion }: ParentInputs): string {
  const { vcpus, memoryMiB } = shape;
  const args = qemuArguments({
    spec: { id: 'parent', image, vcpus, memoryMiB, hostname: 'parent' },
    accelerator,
    ports: { first: 5900, last: 5900 },
    memory: { kind: 'kept', memoryPath: 'memory' },
    leaf: 'plain',
  });
  const inputs = [RECIPE_VERSION, qemuVersion, IDENTITY_PROGRAM, image.digest, image.rootDiskPath, args];
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 40);
}
