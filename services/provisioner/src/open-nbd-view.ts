import type { NbdViewOpener } from '#libs/hypervisor';
import { ALLOCATION_CONTEXT, dirtyBitmapContext, NbdClient } from '#libs/volumes';

/** Reads the views of writable volumes that QEMU serves. */
export const openNbdView: NbdViewOpener = async ({ socketPath, exportName, bitmapName }, signal) => {
  const client = await NbdClient.connect(socketPath, exportName, {
    metaContexts: [dirtyBitmapContext(bitmapName), ALLOCATION_CONTEXT],
    ...(signal && { signal }),
  });
  try {
    const changed = await client.changedExtents(bitmapName, signal);
    return {
      sizeBytes: client.sizeBytes,
      changed,
      read: (offset, length, stop) => client.read(offset, length, stop),
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
};
