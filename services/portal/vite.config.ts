import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

/** In `vite dev` the API, events and tunnel are proxied to a running Goldleaf. */
const origin = process.env.GOLDLEAF_ORIGIN ?? 'http://127.0.0.1:8080';

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react()],
  resolve: { conditions: ['goldleaf-source', ...defaultClientConditions] },
  build: {
    outDir: '../../dist/portal',
    emptyOutDir: true,
    // Thin clients keep their browser for years.
    target: ['es2020', 'chrome90'],
    cssTarget: 'chrome90',
    sourcemap: false,
    chunkSizeWarningLimit: 800,
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': { target: origin, ws: true },
      '/tunnel': { target: origin, ws: true },
    },
  },
});
