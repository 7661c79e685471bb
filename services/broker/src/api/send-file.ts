import type { Response } from 'express';
import type { FoundFile } from '#libs/sessions';

/** A person's file, which no browser is to show, run or keep. */
export function sendFile(response: Response, { name, content }: FoundFile): void {
  response
    .attachment(name.replaceAll('\\', '_') || 'file')
    .type('application/octet-stream')
    .set({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    })
    .send(content);
}
