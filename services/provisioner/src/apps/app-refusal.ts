import type { AppFailure } from '#libs/contracts';
import { MachineError } from '#libs/hypervisor';
import { DomainError, errors, plainText } from '#libs/kernel';
import { VolumeError } from '#libs/volumes';

/**
 * Why a desktop goes without an application: the reason for the person, the message for IT. Guests have a hand in it.
 */
export class AppRefusal extends Error {
  constructor(
    readonly reason: AppFailure,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(plainText(message), options);
    this.name = 'AppRefusal';
  }
}

/** What an error that kept an application from its desktop means for the person. */
export function refusalOf(error: unknown): AppRefusal {
  if (error instanceof AppRefusal) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppRefusal(reasonOf(error), message, { cause: error });
}

function reasonOf(error: unknown): AppFailure {
  if (DomainError.is(error, errors.layerUntrusted)) return 'untrusted';
  if (VolumeError.is(error, 'version-missing', 'object-missing')) return 'missing';
  if (VolumeError.is(error, 'chunk-damaged', 'manifest-damaged')) return 'damaged';
  if (VolumeError.is(error, 'store-unavailable')) return 'too-slow';
  if (error instanceof MachineError && error.code === 'guest-unresponsive') return 'too-slow';
  // Of `AbortSignal.timeout`, by name: it may be of another realm.
  if ((error as Partial<Error> | undefined)?.name === 'TimeoutError') return 'too-slow';
  return 'failed';
}
