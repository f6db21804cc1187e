import './instances.js';
import { call } from './programs.js';

declare global {
  var inPage: typeof call;
}

globalThis.inPage = call;
