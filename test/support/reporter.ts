import type { Reporter, TestModule } from 'vitest/node';
import type { SweepCount } from './sweep.js';

/** Prints at the end what the tests generated from op records have covered, one line per project. */
export default class SweepReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const totals = new Map<string, Required<SweepCount>>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const count = test.meta().sweep;
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
