/** The leaf alone; decorative, so the name belongs next to it. `size` in CSS pixels. */
export function Logo({ size }: { readonly size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="logo">
      <path
        className="logo-leaf"
        d="M27.500 3.500C14.800 3.700 6 9.400 6 18.300c0 5 3.400 8.600 8.400 8.600 9 0 13.300-9.500 13.100-23.400Z"
      />
      <path
        className="logo-shade"
        d="M27.500 3.500C22.600 7.700 15.900 12.700 11 19.900c-1.500 2.200-2.700 4.300-3.400 5.300 1.600 1.100 4 1.700 6.800 1.700 9 0 13.300-9.500 13.100-23.400Z"
      />
      <path className="logo-vein" d="M4.300 29.600C7.300 21.600 12.500 15.600 20.500 10.900" />
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
