import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';
import { makeData } from './make-data.mjs';

const root = import.meta.dirname;

/** Every folder with an index.html is a page; so is this one. */
const pages = ['.', ...readdirSync(root).filter((name) => !['build', 'dist', 'src', 'styles'].includes(name))]
  .map((folder) => join(root, folder, 'index.html'))
  .filter((file) => existsSync(file));

/** With these a page may share memory between threads; without them it trains on one. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Only its own files: the built page proves that it needs no other host. The development server needs more. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
].join('; ');

const contentSecurityPolicy = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
  ],
};

export default defineConfig(() => {
  makeData();
  return {
    root,
    base: './',
    publicDir: false,
    plugins: [contentSecurityPolicy],
    // The package itself lies above the site.
    server: { headers, fs: { allow: ['..'] } },
    preview: { headers },
    worker: { format: 'es' },
    build: { target: 'es2022', rollupOptions: { input: pages }, chunkSizeWarningLimit: 1500 },
  };
});
