import './host.js';
import './files.js';

export * from '../index.js';
