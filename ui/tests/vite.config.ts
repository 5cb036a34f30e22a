import { defineConfig } from 'vite';

// Bundles the tests for Node, so that they need no test framework.
export default defineConfig({
  build: { ssr: 'tests/all.ts', outDir: '.test', emptyOutDir: true, copyPublicDir: false },
});
