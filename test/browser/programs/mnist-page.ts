import { mnist } from './mnist.js';

declare global {
  var runMnist: typeof mnist;
}

globalThis.runMnist = mnist;
