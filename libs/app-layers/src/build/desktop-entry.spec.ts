import { describe, expect, it } from '@jest/globals';
import { entryField, entryProgram, withDataFolder } from './desktop-entry.js';

const text = `[Desktop Entry]
Name=Sheets
Name[de]=Tabellen
Exec=gnumeric %U
DBusActivatable=true
Actions=new;

[Desktop Action new]
Name=New sheet
Exec=gnumeric --new

[Other]
Exec=untouched
`;

describe('desktop files', () => {
  it('are read from their main group', () => {
    expect(entryField(text, 'Name')).toBe('Sheets');
    expect(entryField(text, 'Icon')).toBeUndefined();
    expect(entryProgram(text)).toBe('gnumeric');
    expect(entryProgram('[Desktop Entry]\nExec=env A=b "/opt/x" y')).toBe('/opt/x');
    expect(entryProgram('')).toBeUndefined();
  });

  it('start programs and their actions with a data folder of their own', () => {
    const changed = withDataFolder(text, '/usr/share/own');
    const env = 'env XDG_DATA_DIRS=/usr/share/own:/usr/local/share:/usr/share';
    expect(changed).toContain(`Exec=${env} gnumeric %U`);
    expect(changed).toContain(`Exec=${env} gnumeric --new`);
    expect(changed).toContain('Exec=untouched');
    expect(changed).not.toContain('DBusActivatable');
    expect(entryProgram(changed)).toBe('gnumeric');
  });
});
