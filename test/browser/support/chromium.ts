import { existsSync } from 'node:fs';

/** The browser that tests run in: Debian's, or the one that CHROMIUM names. */
export function chromiumPath(): string {
  const path = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (existsSync(path)) return path;
  throw new Error(
    `${path} does not exist: the browser tests need Chromium (Debian: apt-get install chromium), or its path in the environment variable CHROMIUM`,
  );
}

export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
