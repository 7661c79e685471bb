import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Express' `trust proxy`: false, a number of proxies in front, or their addresses, subnets and well-known names. */
export type TrustProxy = false | number | string;

const namedSubnets: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Tells whether the `x-forwarded-*` headers of a request come from a proxy of ours, also for upgrades. */
export class TrustedProxies {
  private readonly addresses = new BlockList();

  /** @throws TypeError when an address cannot be read */
  constructor(private readonly trust: TrustProxy) {
    if (typeof trust !== 'string') return;
    for (const entry of trust.split(',').flatMap((part) => namedSubnets[part.trim()] ?? [part.trim()])) {
      const [address = '', bits] = entry.split('/');
      const version = isIP(address);
      if (version === 0) throw new TypeError(`not the address of a proxy: "${entry}"`);
      this.addresses.addSubnet(address, Number(bits ?? (version === 4 ? 32 : 128)), version === 4 ? 'ipv4' : 'ipv6');
    }
  }

  /** Whether the peer that sent this request is a proxy of ours. */
  includesPeerOf(request: IncomingMessage): boolean {
    if (typeof this.trust !== 'string') return this.trust !== false && this.trust > 0;
    const peer = (request.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
    const version = isIP(peer);
    return version !== 0 && this.addresses.check(peer, version === 4 ? 'ipv4' : 'ipv6');
  }
}
