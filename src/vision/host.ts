import { NotImplementedError } from '../core/errors.js';

/** One file to fetch: from the first of `urls` that has it with this MD5 sum. */
export interface Fetch {
  urls: readonly string[];
  path: string;
  md5: string;
}

/** What reading data sets from files needs of the host; `src/node/files.ts` has Node's. */
export interface HostFiles {
  /** A path made of parts, in the host's spelling. */
  join(...parts: string[]): string;
  /** The contents of a file, undefined where there is none. */
  read(path: string): Uint8Array | undefined;
  /** Unpacks gzip data. */
  gunzip(bytes: Uint8Array): Uint8Array;
  /** Fetches files and makes their folders; returns when all are there. */
  download(files: readonly Fetch[]): void;
}

let files: HostFiles | undefined;

/** Says how files are read on this host. */
export function setHostFiles(host: HostFiles): void {
  files = host;
}

export function hostFiles(): HostFiles {
  if (files === undefined) {
    throw new NotImplementedError(
      "data sets cannot be read from files on this host; in Node, import 'typetorch' first",
    );
  }
  return files;
}
