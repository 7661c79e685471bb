/** The leaf alone; decorative, so the name belongs next to it. `size` in CSS pixels; large ones show the veins. */
export function Logo({ size }: { readonly size: number }) {
  const large = size > 96;
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      aria-hidden="true"
      className={large ? 'logo logo-large' : 'logo'}
    >
      <path className="logo-leaf" d="M27.5 3.5C14.8 3.7 6 9.4 6 18.3c0 5 3.4 8.6 8.4 8.6 9 0 13.3-9.5 13.1-23.4Z" />
      <path
        className="logo-shade"
        d="M27.5 3.5 20.5 10.9C12.9 15.5 9 20 7.5 23.49 8.98 25.6 11.4 26.9 14.4 26.9c9 0 13.3-9.5 13.1-23.4Z"
      />
      {large && (
        <path
          className="logo-side-veins"
          d="M10.2 18.6C9.8 15.8 10.1 13.6 11 11.4M13.8 15.1c-.3-2.7.2-5 1.5-7M17.6 12.5c0-2.3.7-4.2 2.1-5.9M10.5 18.2c3 .4 5.8.2 8.4-.7M13.9 15c3.1.4 5.8 0 8.2-1.1M17.7 12.4c2.4.2 4.5-.2 6.4-1.2"
        />
      )}
      <path className="logo-vein" d="M4.3 29.6C7.3 21.6 12.5 15.6 20.5 10.9" />
    </svg>
  );
}

/** Leaf and name. */
export function Brand({ size = 28 }: { readonly size?: number }) {
  return (
    <span className="brand">
      <Logo size={size} />
      <span className="brand-name">Goldleaf</span>
    </span>
  );
}
