import type { ServerResponse } from 'node:http';

const tile = (colour: string, drawing: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="10" fill="${colour}"/>` +
  `<g fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">${drawing}</g></svg>`;

const icons: Readonly<Record<string, string>> = {
  calculator: tile('#3d6b8e', '<path d="M14 16h8M18 12v8M27 16h8M14 33h8M27 30h8M27 36h8"/>'),
  'call-notes': tile('#7a5a9c', '<path d="M14 13h20v22H14zM19 20h10M19 26h10M19 32h5"/>'),
  gnumeric: tile('#3f7d54', '<path d="M12 14h24v20H12zM12 21h24M12 27.500h24M20 14v20M28 14v20"/>'),
};

/** Pictures for the demo applications; others have none. */
export function answerIcon(response: ServerResponse, app: string): void {
  const icon = icons[app];
  response.writeHead(icon === undefined ? 404 : 200, { 'content-type': 'image/svg+xml' }).end(icon);
}
