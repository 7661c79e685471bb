import { CreateDesktops1795305600000 } from './1795305600000-create-desktops.js';
import { CreateIdentity1795305660000 } from './1795305660000-create-identity.js';
import { RunPools1795392000000 } from './1795392000000-run-pools.js';
import { IndexPoolFigures1795395600000 } from './1795395600000-index-pool-figures.js';
import { KeepDesktopsEnding1795399200000 } from './1795399200000-keep-desktops-ending.js';
import { PublishApps1795402800000 } from './1795402800000-publish-apps.js';
import { KeepImagesInStore1795406400000 } from './1795406400000-keep-images-in-store.js';
import { KeepProfiles1795410000000 } from './1795410000000-keep-profiles.js';
import { LookIntoProfiles1795413600000 } from './1795413600000-look-into-profiles.js';
import { KeepWhenDamageWasFound1795417200000 } from './1795417200000-keep-when-damage-was-found.js';
import { MarkUnwantedWork1795503600000 } from './1795503600000-mark-unwanted-work.js';
import { GiveUpProfiles1795507200000 } from './1795507200000-give-up-profiles.js';

/** All migrations in the order in which they are applied. */
export const migrations = [
  CreateDesktops1795305600000,
  CreateIdentity1795305660000,
  RunPools1795392000000,
  IndexPoolFigures1795395600000,
  KeepDesktopsEnding1795399200000,
  PublishApps1795402800000,
  KeepImagesInStore1795406400000,
  KeepProfiles1795410000000,
  LookIntoProfiles1795413600000,
  KeepWhenDamageWasFound1795417200000,
  MarkUnwantedWork1795503600000,
  GiveUpProfiles1795507200000,
];
