import { useState } from 'react';

interface Props {
  /** Null where the page knows of none. */
  readonly url: string | null;
  readonly displayName: string;
  /** CSS pixels. */
  readonly size?: number;
}

/** An application's picture, or its first letter where there is none. Decorative: its name stands beside it. */
export function AppIcon({ url, displayName, size = 40 }: Props) {
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  if (url !== null && url !== brokenUrl) {
    return <img className="app-icon" src={url} alt="" width={size} height={size} onError={() => setBrokenUrl(url)} />;
  }
  return (
    <span
      className="app-icon app-icon-letter"
      style={{ width: size, height: size, fontSize: size * 0.46 }}
      aria-hidden="true"
    >
      {displayName.charAt(0).toUpperCase()}
    </span>
  );
}
