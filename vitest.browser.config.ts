import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { CHROMIUM_FLAGS, chromiumPath } from './test/browser/support/chromium.js';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

const alias = [
  { find: /^typetorch$/, replacement: source('browser/index.ts') },
  { find: /^typetorch\/data$/, replacement: source('browser/data.ts') },
  { find: /^typetorch\/vision$/, replacement: source('browser/vision.ts') },
  { find: /^(.*)\/platform\.js$/, replacement: '$1/platform.browser.js' },
];

/** Tests of what only Node has: files, processes, collections in the middle of a loop. */
const nodeOnly = ['memory', 'mnist', 'structure', 'vision'].map((name) => `test/${name}.test.ts`);

/** The sweep, and other tests that need no Node, in a page against the sources. */
const page = (name: string, server: object, setupFiles: string[]) => ({
  resolve: { alias },
  server,
  test: {
    name,
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**', ...nodeOnly],
    setupFiles,
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chromiumPath(), args: CHROMIUM_FLAGS } }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
});

const isolating = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  test: {
    reporters: ['default', './test/support/reporter.ts'],
    slowTestThreshold: 5000,
    projects: [
      page('isolated page', { headers: isolating }, ['./test/browser/support/isolated.setup.ts']),
      page('plain page', {}, []),
      {
        test: {
          name: 'package',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: './test/browser/support/package.setup.ts',
          pool: 'forks',
          testTimeout: 60_000,
        },
      },
    ],
  },
});
