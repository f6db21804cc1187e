import './index.js';

export * from '../vision/index.js';
