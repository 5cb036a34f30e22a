import { defineConfig } from 'vite';

// Two pages: the control page and the browser of the OpenAPI document. Nothing is inlined, so that the
// server's Content-Security-Policy can refuse inline scripts and styles.
export default defineConfig({
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ['index.html', 'docs.html'] },
  },
});
