import { describe, expect, it } from '@jest/globals';
import { socketFolderOf } from './socket-folder.js';

describe('socketFolderOf', () => {
  it('is below the state folder, unless a socket there could not be connected to', () => {
    expect(socketFolderOf('/var/lib/goldleaf')).toBe('/var/lib/goldleaf/exports');
    const deep = `/home/${'x'.repeat(80)}/.goldleaf`;
    const id = '00000000-0000-4000-8000-000000000000';
    expect(`${socketFolderOf(deep)}/${id}`.length).toBeLessThanOrEqual(107);
    expect(socketFolderOf(deep)).not.toBe(socketFolderOf(`${deep}2`));
    expect(socketFolderOf(deep)).toBe(socketFolderOf(deep));
  });
});
