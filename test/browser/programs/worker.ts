import './instances.js';
import { call } from './programs.js';

const scope = globalThis as unknown as {
  postMessage(message: { result: unknown } | { error: string }): void;
  onmessage: (event: { data: { name: string; args: unknown[] } }) => void;
};

scope.onmessage = ({ data: { name, args } }) => {
  call(name, args).then(
    (result) => scope.postMessage({ result }),
    (error) => scope.postMessage({ error: String(error) }),
  );
};
