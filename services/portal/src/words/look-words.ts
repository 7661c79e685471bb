import type { ProfileEntry } from '#libs/contracts';
import { ApiError } from '../api/api-error.js';
import { LookFailed, type LookFault } from '../looks/look-into.js';
import { wordsForRefusal } from './refusal-words.js';

/** Words for every fault, for those who read them: people of the portal, or IT. */
export type LookFaultWords = Readonly<Record<LookFault, string>>;

/** What people read when they look into an earlier state of their files. */
export const lookFaultWords: LookFaultWords = {
  'not-found': 'There is no such file or folder in this state.',
  'too-large': 'It is too large to be taken alone. To get it, go back to the whole state.',
  damaged: 'What was saved here is damaged and cannot be read.',
  'store-unavailable': 'The place where profiles are kept cannot be reached just now. Look again in a few minutes.',
  'no-key': 'These files cannot be decrypted. Tell your IT department.',
  unsupported: 'Goldleaf cannot look into earlier states here. Tell your IT department.',
  'no-answer': 'Nothing has answered for two minutes. Look again; if it stays so, tell your IT department.',
  failed: 'It did not work. Look again; if it stays so, tell your IT department.',
  expired: 'What was found is kept for ten minutes only, and they are over. Look again.',
};

/** The same for IT, who can do something about it. */
export const lookFaultWordsForIt: LookFaultWords = {
  'not-found': 'The version has no such file or folder.',
  'too-large': 'It is larger than single files can be taken. Restore the whole version to get it.',
  damaged: 'The version is damaged here and cannot be read.',
  'store-unavailable': 'The volume store does not answer.',
  'no-key': 'The profile cannot be decrypted: its key was destroyed, or the hosts have another master key.',
  unsupported: 'The host that was asked cannot look into profiles. Its log says why.',
  'no-answer': 'No host has answered for two minutes. Is a provisioner running?',
  failed: 'It did not work. The log of the host says why.',
  expired: 'What was found is kept for ten minutes only, and they are over. Look again.',
};

/** Why somebody does not see what they asked for, and whether it may be otherwise next time. */
export interface LookProblem {
  readonly text: string;
  readonly isLasting: boolean;
}

const lasting: readonly string[] = ['not-found', 'too-large', 'damaged', 'no-key', 'forbidden'];

export function lookProblemOf(error: LookFailed | ApiError, words: LookFaultWords): LookProblem {
  if (error instanceof LookFailed) return { text: words[error.fault], isLasting: lasting.includes(error.fault) };
  return { text: wordsForRefusal(error), isLasting: lasting.includes(error.code) };
}

/** What is read while a look is under way, `waitedMs` after it was asked for. */
export function wordsForLookWait(waitedMs: number): string {
  if (waitedMs < 5_000) return 'Looking inside';
  if (waitedMs < 20_000) return 'Looking inside. This takes a few seconds';
  return 'Still looking. The system is busy, so it takes longer than usual';
}

/** `2 folders, 14 files`, what is neither counting as a file; `hidden` are not among them. */
export function wordsForFolder(entries: readonly Pick<ProfileEntry, 'kind'>[], hidden: number): string {
  const folders = entries.filter(({ kind }) => kind === 'folder').length;
  const files = entries.length - folders;
  const counted = [
    ...(folders > 0 ? [`${folders} ${folders === 1 ? 'folder' : 'folders'}`] : []),
    ...(files > 0 ? [`${files} ${files === 1 ? 'file' : 'files'}`] : []),
  ];
  if (counted.length > 0) return counted.join(', ');
  return hidden > 0 ? 'Only hidden files' : 'This folder is empty';
}

/** A part of a file's name: text, or bytes that are none, written `\xHH`. */
export interface NamePart {
  readonly text: string;
  readonly isBytes: boolean;
}

/** A name as the API writes it, for the eye: bytes apart from text, and a backslash as one. */
export function partsOfName(name: string): NamePart[] {
  const parts = name.match(/(?:\\x[0-9a-fA-F]{2})+|(?:\\\\|[^\\])+/g) ?? [];
  return parts.map((part) =>
    part.startsWith('\\x') ? { text: part, isBytes: true } : { text: part.replaceAll('\\\\', '\\'), isBytes: false },
  );
}

/** The same as one text. */
export function plainName(name: string): string {
  return partsOfName(name)
    .map((part) => part.text)
    .join('');
}
