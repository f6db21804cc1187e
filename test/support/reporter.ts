import type { Reporter, TestModule } from 'vitest/node';
import type { SweepCount } from './sweep.js';

declare module 'vitest' {
  interface TaskMeta {
    /** What a test has measured, in words. */
    figures?: string;
  }
}

/** Prints at the end what tests have measured, and what the sweep over op records has covered, one line per project. */
export default class SweepReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const totals = new Map<string, Required<SweepCount>>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { sweep: count, figures } = test.meta();
        if (figures !== undefined) console.log(` Figure ${test.fullName}: ${figures}`);
        if (count === undefined) continue;
        const total = totals.get(module.project.name) ?? {
          backend: count.backend,
          records: 0,
          cases: 0,
          gradchecks: 0,
        };
        total.records += count.records ?? 0;
        total.cases += count.cases ?? 0;
        total.gradchecks += count.gradchecks ?? 0;
        totals.set(module.project.name, total);
      }
    }
    for (const [name, t] of totals) {
      console.log(
        ` Sweep  ${name} project on ${t.backend}: ${t.records} op records, ${t.cases} cases, ${t.gradchecks} gradchecks`,
      );
    }
  }
}
