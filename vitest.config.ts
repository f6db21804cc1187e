import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

const alias = [
  { find: /^typetorch$/, replacement: source('node/index.ts') },
  { find: /^typetorch\/data$/, replacement: source('node/data.ts') },
  { find: /^typetorch\/vision$/, replacement: source('node/vision.ts') },
];

/** Tests in Chromium, which vitest.browser.config.ts runs. */
const browser = ['test/browser/**'];
/** Tests that make no tensors have nothing to gain from a second back end. */
const anyBackend = ['test/format.test.ts', 'test/random.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', './test/support/reporter.ts'],
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'native',
          include: ['test/**/*.test.ts'],
          exclude: browser,
          pool: 'forks',
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'wasm',
          include: ['test/**/*.test.ts'],
          exclude: [...browser, ...anyBackend],
          env: { TYPETORCH_NATIVE: '0' },
          pool: 'forks',
          testTimeout: 60_000,
        },
      },
    ],
  },
});
