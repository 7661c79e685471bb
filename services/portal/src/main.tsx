import './csp-safe-zod.js';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiClient } from './api/api-client.js';
import { App } from './app.js';
import { ApiContext } from './state/api-context.js';
import { Portal } from './state/portal.js';
import { PortalContext } from './state/portal-context.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/buttons.css';
import './styles/sign-in.css';
import './styles/pools.css';
import './styles/apps.css';
import './styles/modal.css';
import './styles/desktop.css';
import './styles/overlay.css';
import './styles/bar.css';
import './styles/profile.css';
import './styles/tables.css';
import './styles/looks.css';

const api = new ApiClient();
const portal = new Portal(api);

// A page that comes back out of the browser's memory has lost its sockets: begin again.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <ApiContext.Provider value={api}>
      <PortalContext.Provider value={portal}>
        <App />
      </PortalContext.Provider>
    </ApiContext.Provider>
  </StrictMode>,
);
void portal.start();
