/** guacd's parameters by name; those that a guacd does not ask for are not sent. */
export type GuacdParameters = Readonly<Record<string, string>>;

/** Everything that guacd is told of one connection. Resolved on the server, never by the browser. */
export interface GuacdSettings {
  readonly protocol: 'vnc';
  readonly parameters: GuacdParameters;
  /** What the browser shows at first, in pixels. */
  readonly display: { readonly width: number; readonly height: number; readonly dpi: number };
  /** Picture formats that the browser can decode. */
  readonly imageTypes: readonly string[];
}

export interface VncTarget {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

const DEFAULT_DISPLAY = { width: 1024, height: 768, dpi: 96 };

/** The settings for a desktop's VNC display as QEMU serves it on the host's loopback. */
export function vncSettings(target: VncTarget, display: Partial<GuacdSettings['display']> = {}): GuacdSettings {
  return {
    protocol: 'vnc',
    display: { ...DEFAULT_DISPLAY, ...display },
    imageTypes: ['image/png', 'image/jpeg', 'image/webp'],
    parameters: {
      hostname: target.host,
      port: String(target.port),
      password: target.password,
      'read-only': 'false',
      // A wrong password or a display that is gone is told at once; the portal decides when to try again.
      autoretry: '0',
      'color-depth': '24',
      encodings: 'zrle ultra copyrect hextile zlib corre rre raw',
      // The pointer is drawn by the browser, so it moves without a round trip.
      cursor: 'local',
      'swap-red-blue': 'false',
      // QEMU hands cut text to the guest byte by byte and the guest's agent reads it as UTF-8.
      'clipboard-encoding': 'UTF-8',
      'disable-copy': 'false',
      'disable-paste': 'false',
      'enable-audio': 'false',
      'enable-sftp': 'false',
    },
  };
}
