import type { WantedApp } from './wanted-app.js';

/**
 * What `apps sync` reads: lines of fields, separated by one tab, in which everything but letters, digits and `._-` is
 * written as `%` and two hex digits for each byte of UTF-8. So no text can be taken for a line, a field, or a word of a
 * shell.
 *
 *     attached  NAME  VOLUME-ID
 *     on-demand NAME
 *     entry     NAME  DESKTOP-FILE  TITLE
 *     icon      NAME  png|svg       BASE64
 */
export function syncInput(apps: readonly WantedApp[]): string {
  const lines: string[][] = [];
  for (const app of apps) {
    if (app.mode === 'attached') lines.push(['attached', app.name, app.volumeId]);
    else {
      lines.push(['on-demand', app.name]);
      for (const { id, name } of app.entries) lines.push(['entry', app.name, id, name]);
      if (app.icon) {
        lines.push(['icon', app.name, app.icon.mediaType === 'image/png' ? 'png' : 'svg', app.icon.base64]);
      }
    }
  }
  return lines.map((fields) => `${fields.map(escapeField).join('\t')}\n`).join('');
}

/** Text as one field of a line, whatever is in it. */
export function escapeField(text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);
    escaped += /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return escaped;
}

/** @throws URIError when it is not such text */
export const unescapeField = (field: string): string => decodeURIComponent(field);
