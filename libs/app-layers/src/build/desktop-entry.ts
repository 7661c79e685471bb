/** The group of a desktop file that describes the program itself, and those of its further actions. */
const ACTION_OR_MAIN = /^\[(Desktop Entry|Desktop Action [^\]]+)\]$/;

/** The value of a key of the main group, e.g. `Name`; without translations. */
export function entryField(text: string, key: string): string | undefined {
  let inMain = false;
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line.startsWith('[')) inMain = line === '[Desktop Entry]';
    else if (inMain && line.replace(/\s*=.*$/s, '') === key) return line.slice(line.indexOf('=') + 1).trim();
  }
  return undefined;
}

/** The program that a desktop file starts, without its arguments and without `env` and what that sets. */
export function entryProgram(text: string): string | undefined {
  const words = (entryField(text, 'Exec') ?? '').split(/\s+/).filter((word) => word !== '');
  return words.find((word) => word !== 'env' && !/^[A-Z_]+=/.test(word))?.replace(/^"|"$/g, '');
}

/**
 * Has a program look for data in a folder of its own before all others. It is started as such then: through the message
 * bus it would not have the setting.
 */
export function withDataFolder(text: string, folder: string): string {
  const lines: string[] = [];
  let inProgram = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) inProgram = ACTION_OR_MAIN.test(line.trim());
    if (inProgram && /^DBusActivatable\s*=/.test(line)) continue;
    const exec = inProgram ? /^Exec\s*=\s*(.*)$/.exec(line)?.[1] : undefined;
    lines.push(exec ? `Exec=env XDG_DATA_DIRS=${folder}:/usr/local/share:/usr/share ${exec}` : line);
  }
  return lines.join('\n');
}
