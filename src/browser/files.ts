import { NotImplementedError, RuntimeError } from '../core/errors.js';
import { setHostFiles } from '../vision/host.js';

/** Reads the files of data sets in a worker: paths are addresses, relative to the page. */

function read(path: string): Uint8Array | undefined {
  if (typeof document !== 'undefined') {
    throw new NotImplementedError(
      `${path}: a page cannot wait for files; read data sets in a Web Worker, or fetch the bytes and make tensors of them`,
    );
  }
  // Constructors of data sets are synchronous, as in PyTorch; workers may wait for a request.
  const request = new XMLHttpRequest();
  request.open('GET', path, false);
  request.responseType = 'arraybuffer';
  try {
    request.send();
  } catch (error) {
    throw new RuntimeError(`${path}: ${(error as Error).message}`);
  }
  if (request.status === 404 || request.status === 410) return undefined;
  if (request.status !== 200) throw new RuntimeError(`${path}: the server answered with status ${request.status}`);
  return new Uint8Array(request.response as ArrayBuffer);
}

setHostFiles({
  join: (...parts) => parts.join('/'),
  read,
  gunzip: () => {
    throw new NotImplementedError('gzipped files of data sets cannot be read in a browser; serve them unpacked');
  },
  download: () => {
    throw new NotImplementedError('download: true is not possible in a browser; serve the files with the page');
  },
});
