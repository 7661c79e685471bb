/** Longest name and password, in bytes, that are passed on to a directory. */
const maxNameBytes = 256;
const maxPasswordBytes = 1024;

// Control, format (zero-width, bidi), surrogate and private-use characters: nothing that a name is typed with.
const unusable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/**
 * The one spelling of all that a directory takes for the same name: directories ignore case, compatibility forms and
 * surplus spaces, so whoever counts by name must do so too.
 * @returns undefined for a name that no directory can know: empty, too long or with control characters
 */
export function canonicalUsername(typed: string): string | undefined {
  if (Buffer.byteLength(typed) > maxNameBytes || unusable.test(typed)) return undefined;
  const canonical = typed.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase().normalize('NFKC');
  return canonical === '' ? undefined : canonical;
}

/**
 * Whether a password may be sent to a directory at all. An empty one never is, since a directory may answer such a
 * bind with success; nor is one with a NUL character, which some cut off there and then take for empty.
 */
export function isUsablePassword(password: string): boolean {
  return password !== '' && !password.includes('\0') && Buffer.byteLength(password) <= maxPasswordBytes;
}
