import { isGradEnabled, setGradMode } from '../core/tape.js';

export { isGradEnabled };

/** What `using _ = torch.noGrad()` holds until its block ends. */
export class GradModeGuard {
  private readonly before: boolean;

  constructor(enabled: boolean) {
    this.before = setGradMode(enabled);
  }

  [Symbol.dispose](): void {
    setGradMode(this.before);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function withMode<R>(enabled: boolean, body: () => R): R {
  const before = setGradMode(enabled);
  let result: R;
  try {
    result = body();
  } catch (error) {
    setGradMode(before);
    throw error;
  }
  if (!isPromise(result)) {
    setGradMode(before);
    return result;
  }
  return result.finally(() => setGradMode(before)) as R;
}

/** Runs `body` without recording: results need no grad. Takes async functions too; without one, `using _ = noGrad()`. */
export function noGrad(): GradModeGuard;
export function noGrad<R>(body: () => R): R;
export function noGrad<R>(body?: () => R): R | GradModeGuard {
  return body === undefined ? new GradModeGuard(false) : withMode(false, body);
}

/** Runs `body` with recording on, inside {@link noGrad} too. */
export function enableGrad(): GradModeGuard;
export function enableGrad<R>(body: () => R): R;
export function enableGrad<R>(body?: () => R): R | GradModeGuard {
  return body === undefined ? new GradModeGuard(true) : withMode(true, body);
}

/** As {@link noGrad}: this implementation has no cheaper mode. */
export const inferenceMode: typeof noGrad = noGrad;

/** Turns recording on or off until changed again. */
export function setGradEnabled(enabled: boolean): void {
  setGradMode(enabled);
}
