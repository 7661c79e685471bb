/**
 * A text that somebody else wrote, as it may be kept and shown: one line, without control characters, marks of writing
 * direction and halves of characters.
 * @param longest in UTF-16 units
 */
export function plainText(text: string, longest = 300): string {
  return text
    .slice(0, longest)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ')
    .trim();
}
