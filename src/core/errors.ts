/** PyTorch raises RuntimeError where an op cannot be carried out. */
export class RuntimeError extends Error {
  override name = 'RuntimeError';
}

/** An index or dimension out of range. */
export class IndexError extends RangeError {
  override name = 'IndexError';
}

/** An argument of the right type with a value that is not allowed. */
export class ValueError extends RangeError {
  override name = 'ValueError';
}

/** An op that has no implementation or no derivative yet, named in the message. */
export class NotImplementedError extends RuntimeError {
  override name = 'NotImplementedError';
}

function editDistance(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0];
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j];
      row[j] = Math.min(
        above + 1,
        row[j - 1] + 1,
        diagonal + (a[i - 1].toLowerCase() === b[j - 1].toLowerCase() ? 0 : 1),
      );
      diagonal = above;
    }
  }
  return row[b.length];
}

/** The known name closest to a misspelt one. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let distance = Math.max(3, Math.ceil(name.length / 2));
  const plain = name.replaceAll('_', '');
  for (const candidate of known) {
    const d = editDistance(plain, candidate);
    if (d < distance) {
      distance = d;
      best = candidate;
    }
  }
  return best;
}

/** Refuses option keys that an op does not know, naming the nearest one that it does. */
export function checkOptions(op: string, options: object | undefined, known: readonly string[]): void {
  if (options === undefined) return;
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw new TypeError(
      `${op}(): expected an options object with keys from {${known.join(', ')}}, got ${describe(options)}`,
    );
  }
  for (const key in options) {
    if (known.includes(key)) continue;
    const guess = nearest(key, known);
    const hint = guess === undefined ? `known options: ${known.join(', ') || 'none'}` : `did you mean '${guess}'?`;
    throw new TypeError(`${op}() got an unexpected option '${key}' (${hint})`);
  }
}

/** A value as error messages show it. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') return value.constructor?.name ?? 'object';
  return String(value);
}
