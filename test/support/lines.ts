import { expect } from 'vitest';

const numbersIn = (line: string) => (line.match(/\d+\.\d+/g) ?? []).map(Number);

/** The same text, its numbers no further apart than sums in another order may move them: a last digit, one sample of 2000. */
export function expectSameLines(printed: string[], lines: string[]): void {
  const blank = (line: string) => line.replace(/\d(?=\d*\.)|(?<=\.\d*)\d/g, '0');
  expect(printed.map(blank)).toEqual(lines.map(blank));
  lines.forEach((line, i) => {
    const [loss, accuracy] = numbersIn(line);
    if (loss === undefined) return;
    const [ownLoss, ownAccuracy] = numbersIn(printed[i]);
    expect(Math.abs(ownLoss - loss)).toBeLessThan(1.01e-4);
    expect(Math.abs(ownAccuracy - accuracy)).toBeLessThan(0.051);
  });
}
