/** What the page tells the worker. */
export type Command = 'pause' | 'resume';

/** What the worker tells the page, from time to time. */
export interface Progress {
  step: number;
  steps: number;
  loss: number;
  done: boolean;
}
