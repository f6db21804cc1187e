/** What the page and its worker tell each other. */

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;
export const MISTAKES_SHOWN = 12;

export type OptimizerName = 'SGD' | 'Adam';

export interface Settings {
  optimizer: OptimizerName;
  lr: number;
  batchSize: number;
  seed: number;
}

export type Command =
  /** Fetches the images from `url` and makes the first network. */
  | { type: 'load'; url: string; settings: Settings }
  /** A new, untrained network. Reports carry `run`, so that those of an older one can be told. */
  | { type: 'reset'; run: number; settings: Settings }
  /** Trains for so many epochs more. */
  | { type: 'train'; epochs: number }
  | { type: 'pause' }
  | { type: 'resume' }
  /** Takes effect with the next step. */
  | { type: 'learningRate'; lr: number }
  /** The image to guess, now and whenever the network has changed; null for none. */
  | { type: 'watch'; id: number; pixels: Uint8Array | null };

/** 28x28 bytes, 0 for background, as MNIST stores them. */
export interface Sample {
  pixels: Uint8Array;
  label: number;
}

/** A test image that the network takes for another digit. */
export interface Mistake extends Sample {
  guess: number;
  /** Probability of the guess. */
  confidence: number;
}

/** What runs where. */
export interface Facts {
  backend: string;
  threads: number;
  parameters: number;
  trainImages: number;
  testImages: number;
}

export interface Score {
  loss: number;
  accuracy: number;
}

/** Probabilities of the ten digits for the watched image; `id` is the watch command's. */
export interface Guess {
  id: number;
  probabilities: Float32Array;
}

export interface Progress {
  type: 'progress';
  run: number;
  /** Steps of the optimizer so far. */
  step: number;
  /** The epoch under way; the first is 1. */
  epoch: number;
  /** One entry for each step since the last report. */
  losses: Float32Array;
  accuracies: Float32Array;
  /** On all test images, where they were tried after the last of these steps. */
  test?: Score;
  samplesPerSecond: number;
  /** Bytes of tensor memory taken so far. */
  memory: number;
  guess?: Guess;
}

export interface EpochEnd {
  type: 'epoch';
  run: number;
  epoch: number;
  train: Score;
  test: Score;
  /** Number of test images that the network gets wrong, and those that it is surest of. */
  wrong: number;
  mistakes: Mistake[];
  /** Whether this was the last epoch that was asked for. */
  last: boolean;
}

export type Report =
  | { type: 'loading'; fraction: number }
  | { type: 'ready'; facts: Facts; train: Sample[]; test: Sample[] }
  /** A new network, before any training. */
  | { type: 'fresh'; run: number; test: Score; memory: number; guess?: Guess }
  | Progress
  | EpochEnd
  | { type: 'guess'; guess: Guess }
  | { type: 'failed'; message: string };
