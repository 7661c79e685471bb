import { type DynamicModule, Module } from '@nestjs/common';
import { LOGGER, type Logger } from '#libs/telemetry';
import { LayerVerifier } from './layer-verifier.js';
import { TrustedKeyVerifier } from './trusted-key-verifier.js';

/** Provides `LayerVerifier` to the module that imports it. */
@Module({})
export class LayerVerifierModule {
  /** @param options.keysDir GOLDLEAF_APP_KEYS_DIR */
  static register({ keysDir }: { keysDir: string }): DynamicModule {
    const make = (logger: Logger) => new TrustedKeyVerifier(keysDir, logger);
    return {
      module: LayerVerifierModule,
      providers: [{ provide: LayerVerifier, inject: [LOGGER], useFactory: make }],
      exports: [LayerVerifier],
    };
  }
}
