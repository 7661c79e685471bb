import type { ReactNode } from 'react';

function Icon({ children }: { readonly children: ReactNode }) {
  return (
    <svg
      width="18"
      height="18"
      viewBox="0 0 18 18"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
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
    <path d="M14.8 9a5.8 5.8 0 1 1-1.9-4.3" />
    <path d="M13.3 1.8v3.2h-3.2" />
  </Icon>
);

export const LogOffIcon = () => (
  <Icon>
    <path d="M7 2.8H4.2c-.8 0-1.4.6-1.4 1.4v9.6c0 .8.6 1.4 1.4 1.4H7" />
    <path d="M11.5 12.3 14.8 9l-3.3-3.3M14.6 9H7" />
  </Icon>
);

export const FullScreenIcon = () => (
  <Icon>
    <path d="M2.8 6.5V2.8h3.7M11.5 2.8h3.7v3.7M15.2 11.5v3.7h-3.7M6.5 15.2H2.8v-3.7" />
  </Icon>
);

export const ClipboardIcon = () => (
  <Icon>
    <path d="M6.3 3.6H4.6c-.6 0-1.1.5-1.1 1.1v9.4c0 .6.5 1.1 1.1 1.1h8.8c.6 0 1.1-.5 1.1-1.1V4.7c0-.6-.5-1.1-1.1-1.1h-1.7" />
    <path d="M6.3 2.5h5.4v2.8H6.3zM6.3 8.8h5.4M6.3 11.7h3.6" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m3.8 9.6 3.3 3.3 7.1-7.5" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m4.8 4.8 8.4 8.4M13.2 4.8l-8.4 8.4" />
  </Icon>
);

export const MonitorIcon = () => (
  <Icon>
    <path d="M2.6 3.4h12.8v8.7H2.6zM6.2 15.2h5.6M9 12.3v2.7" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M9 3.4v11.2M3.4 9h11.2" />
  </Icon>
);

export const AppsIcon = () => (
  <Icon>
    <path d="M3 3h4.6v4.6H3zM10.4 3H15v4.6h-4.6zM3 10.4h4.6V15H3zM10.4 10.4H15V15h-4.6z" />
  </Icon>
);

export const WarningIcon = () => (
  <Icon>
    <path d="M9 2.6 16.2 15H1.8ZM9 7.4v3.4M9 12.9v.1" />
  </Icon>
);

export const FolderIcon = () => (
  <Icon>
    <path d="M2.4 14.4V4.1c0-.5.4-.9.9-.9h3.6l1.7 2h6.1c.5 0 .9.4.9.9v8.3c0 .4-.4.8-.9.8H3.3c-.5 0-.9-.4-.9-.8Z" />
  </Icon>
);

export const FileIcon = () => (
  <Icon>
    <path d="M4 15.2V2.8h6.2L14 6.6v8.6ZM10 2.8v4h4" />
  </Icon>
);
