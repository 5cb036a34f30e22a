// Bundled by vite and run by Node's own test runner: `npm test`.
import './browser';
import './format.test';
import './store.test';
import './stream.test';
