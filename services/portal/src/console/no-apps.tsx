import { AppsIcon } from '../ui/icons.js';

/** How the first application comes here: that is work for the command line, which builds and signs. */
export function NoApps() {
  return (
    <>
      <h1>Applications</h1>
      <div className="empty empty-left" data-testid="no-apps">
        <AppsIcon />
        <h2>No application is registered yet</h2>
        <p>Build one from Debian packages on top of a golden image, as root on a host of the desktops:</p>
        <pre>
          <code>goldleaf app build &lt;recipe folder&gt; --image &lt;golden image&gt;</code>
        </pre>
        <p>It is packed, signed and registered, and appears here. Then assign it to a role.</p>
      </div>
    </>
  );
}
