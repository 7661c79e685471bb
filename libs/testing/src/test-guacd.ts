import { serverAddress } from './server-address.js';

/** Where the shared guacd of the run listens. A test that kills guacd starts its own with `startGuacd`. */
export function testGuacd(): { url: string; host: string; port: number } {
  const url = serverAddress('TEST_GUACD_URL');
  const { hostname, port } = new URL(url);
  return { url, host: hostname, port: Number(port) };
}
