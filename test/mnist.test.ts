import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, test, vi } from 'vitest';
import { expectSameLines } from './support/lines.js';

const goldens = JSON.parse(gunzipSync(readFileSync(new URL('goldens/data.json.gz', import.meta.url))).toString()) as {
  mnist: { options: string[]; lines: string[] }[];
};
const scratch = mkdtempSync(join(tmpdir(), 'typetorch-mnist-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let runs = 0;
/** Runs the example with a command line; each run is a module of its own. */
async function run(options: readonly string[]): Promise<string[]> {
  const { argv } = process;
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  process.argv = [...argv.slice(0, 2), ...options];
  try {
    const example = `../examples/mnist/main.ts?run=${runs++}`;
    await import(/* @vite-ignore */ example);
    return log.mock.calls.map(([line]) => String(line));
  } finally {
    process.argv = argv;
    log.mockRestore();
  }
}

const cases = goldens.mnist.map(({ options, lines }) => ({
  seed: options[options.indexOf('--seed') + 1],
  options,
  lines,
}));

test.each(cases)(
  'W-26 TW-001 TW-002 TW-003 TW-004 TW-007 TW-009 TW-016 TW-017 TW-018 TW-019 the MNIST script prints what its PyTorch twin prints, seed $seed',
  async ({ seed, options, lines }) => {
    const picture = join(scratch, `curves-${seed}.png`);
    const printed = await run([...options, '--picture', picture]);
    expectSameLines(printed.slice(0, -1), lines);
    expect(printed).toHaveLength(1 + 4 * 2 + 1);
    expect(printed[0]).toBe('Using device: cpu');
    expect(printed.at(-1)).toBe(`Curves: ${picture}`);
    expect(readFileSync(picture).subarray(1, 4).toString()).toBe('PNG');
  },
);

test('W-26 options that are no numbers are refused', async () => {
  await expect(run(['--epochs', 'five'])).rejects.toThrow("--epochs takes a number, got 'five'");
});
