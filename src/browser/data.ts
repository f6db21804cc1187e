import './index.js';

export * from '../data/index.js';
