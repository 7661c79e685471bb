import type { CommandContext } from './command-context.js';
import type { CommandResult } from './command-result.js';

/** What a command does. Commands load their code when they run, so that each starts fast. */
export type CommandWork = (context: CommandContext) => Promise<CommandResult>;

/** Has the work of the command that was parsed done. */
export type Perform = (work: CommandWork) => Promise<void>;
