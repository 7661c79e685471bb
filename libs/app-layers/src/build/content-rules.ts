/** What is done with a file that a build wrote. */
export type ContentRule =
  /** Goes into the layer, though the golden image may have another one: made of all that is installed, e.g. MIME types. */
  | { readonly action: 'shared-cache' }
  /** The same, and the application gets a copy that no other layer hides, below a data folder of its own. */
  | { readonly action: 'own-cache'; readonly dataPath: string }
  /** Of no use in a layer, and nothing is lost without it. */
  | { readonly action: 'drop' }
  /** Not for a layer; worth telling. */
  | { readonly action: 'leave-out'; readonly why: string };

const rules: readonly (readonly [RegExp, ContentRule])[] = [
  [
    /^usr\/share\/glib-2\.0\/schemas\/gschemas\.compiled$/,
    { action: 'own-cache', dataPath: 'glib-2.0/schemas/gschemas.compiled' },
  ],
  [/^usr\/share\/mime\/mime\.cache$/, { action: 'own-cache', dataPath: 'mime/mime.cache' }],
  [/^usr\/share\/mime\/(?!packages\/)/, { action: 'shared-cache' }],
  [/^usr\/share\/applications\/mimeinfo\.cache$/, { action: 'shared-cache' }],
  [
    /^usr\/lib\/[^/]+\/(gdk-pixbuf-2\.0\/[^/]+\/loaders|gtk-[^/]+\/[^/]+\/immodules|gio\/modules\/giomodule)\.cache$/,
    { action: 'shared-cache' },
  ],
  [/^usr\/share\/fonts\/.*\/(fonts\.(dir|scale|alias)|\.uuid)$/, { action: 'shared-cache' }],
  [/^usr\/share\/icons\/[^/]+\/icon-theme\.cache$/, { action: 'drop' }],
  [
    /^usr\/share\/info\/dir$|^usr\/lib\/udev\/hwdb\.bin$|^usr\/lib\/locale\/locale-archive$/,
    { action: 'leave-out', why: 'the golden image has its own' },
  ],
  [/^etc\/(ld\.so\.cache|mailcap|\.pwd\.lock|.*-)$/, { action: 'drop' }],
  [
    /^etc\/(apt|init\.d|rc[0-6S]\.d|cron\.[^/]+|systemd|logrotate\.d|default|dbus-1|udev|kernel|initramfs-tools|sudoers\.d|pam\.d|apparmor\.d)\//,
    { action: 'leave-out', why: 'settings of the system, which only a golden image changes' },
  ],
];

/** @param path below the root, without a slash before it */
export function ruleFor(path: string): ContentRule | undefined {
  return rules.find(([pattern]) => pattern.test(path))?.[1];
}

/** Of patterns as a recipe has them: a path, or a folder with everything below it. */
export function isExcluded(path: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('/*') ? `/${path}`.startsWith(pattern.slice(0, -1)) : `/${path}` === pattern,
  );
}
