import type { ReactNode } from 'react';

function Icon({ children }: { readonly children: ReactNode }) {
  return (
    <svg
      width="18"
      height="18"
      viewBox="0 0 18 18"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.600"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const RestartIcon = () => (
  <Icon>
    <path d="M14.800 9a5.800 5.800 0 1 1-1.900-4.300" />
    <path d="M13.300 1.800v3.200h-3.200" />
  </Icon>
);

export const LogOffIcon = () => (
  <Icon>
    <path d="M7 2.800H4.200c-.8 0-1.400.6-1.400 1.400v9.600c0 .8.600 1.400 1.400 1.400H7" />
    <path d="M11.500 12.300 14.800 9l-3.300-3.300M14.600 9H7" />
  </Icon>
);

export const FullScreenIcon = () => (
  <Icon>
    <path d="M2.800 6.500V2.800h3.700M11.500 2.800h3.700v3.700M15.200 11.500v3.700h-3.700M6.500 15.200H2.800v-3.700" />
  </Icon>
);

export const ClipboardIcon = () => (
  <Icon>
    <path d="M6.300 3.600H4.600c-.6 0-1.100.5-1.100 1.100v9.400c0 .6.500 1.100 1.100 1.100h8.800c.6 0 1.100-.5 1.100-1.100V4.700c0-.6-.5-1.100-1.100-1.100h-1.700" />
    <path d="M6.300 2.500h5.400v2.800H6.300zM6.300 8.800h5.400M6.300 11.700h3.600" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m3.800 9.600 3.300 3.300 7.100-7.500" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m4.800 4.800 8.400 8.400M13.200 4.800l-8.400 8.400" />
  </Icon>
);

export const MonitorIcon = () => (
  <Icon>
    <path d="M2.600 3.400h12.800v8.700H2.600zM6.200 15.200h5.600M9 12.300v2.700" />
  </Icon>
);
