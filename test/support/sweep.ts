import type { TestContext } from 'vitest';
import { backend } from '../../src/backend/backend.js';

/** What a generated test has done, summed up by the reporter. */
export interface SweepCount {
  backend: string;
  records?: number;
  cases?: number;
  gradchecks?: number;
}

declare module 'vitest' {
  interface TaskMeta {
    sweep?: SweepCount;
  }
}

/** Gathers failures of one test, so that a message shows several cases and not the first alone. */
export class Sweep {
  private readonly failures: string[] = [];
  private readonly count: SweepCount = { backend: backend().description };

  constructor(context: TestContext) {
    context.task.meta.sweep = this.count;
  }

  get description(): string {
    return this.count.backend;
  }

  records(n: number): void {
    this.count.records = n;
  }

  gradcheck(): void {
    this.count.gradchecks = (this.count.gradchecks ?? 0) + 1;
  }

  /** Runs one case; what it throws or returns is a failure. */
  case(label: string, body: () => string | undefined): void {
    this.count.cases = (this.count.cases ?? 0) + 1;
    let problem: string | undefined;
    try {
      problem = body();
    } catch (error) {
      problem = error instanceof Error ? `threw ${error.name}: ${error.message}` : String(error);
    }
    if (problem) this.failures.push(`${label} on ${this.count.backend}: ${problem}`);
  }

  /** Ends the test: fails with all that went wrong. */
  done(): void {
    if (this.failures.length === 0) return;
    const shown = this.failures.slice(0, 12);
    const rest = this.failures.length - shown.length;
    const error = new Error(`${shown.join('\n')}${rest > 0 ? `\n... and ${rest} more` : ''}`);
    // The place that matters is in the message.
    error.stack = '';
    throw error;
  }
}

/** The error that `body` throws, or undefined. */
export function thrown(body: () => unknown): Error | undefined {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  return undefined;
}
