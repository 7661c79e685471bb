import { partsOfName } from '../words/look-words.js';

/**
 * A name that somebody or some program chose, in any script: its ending stays at the end, so that nothing looks like
 * another kind of file, and bytes that are no text are set apart.
 */
export function FileName({ name }: { readonly name: string }) {
  return (
    <bdi className="file-name" dir="ltr">
      {partsOfName(name).map(({ text, isBytes }, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: parts of one name stay where they are
        isBytes ? <code key={index}>{text}</code> : text,
      )}
    </bdi>
  );
}
