/** Values that options of a module may take. Objects print by their `toString()`. */
export type PyValue =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | readonly PyValue[]
  | { toString(): string };

/** Python's `repr` of a float: 0.1, 1.0, 1e-05, 1e+16. */
export function pyFloat(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  const sign = x < 0 || Object.is(x, -0) ? '-' : '';
  const text = Math.abs(x).toExponential();
  const mark = text.indexOf('e');
  const digits = text.slice(0, mark).replace('.', '');
  const exponent = Number(text.slice(mark + 1));
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits.charAt(0)}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

const namedEscapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  const named = namedEscapes[character];
  if (named !== undefined) return named;
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function pyString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\p{C}\p{Z}]/gu, (found) => (found === ' ' ? found : escapeCharacter(found)));
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}

/**
 * Python's `repr` of an option's value; arrays become tuples. Whole numbers print as integers unless `asFloat`
 * says that the option (or each number of a tuple) is a float.
 */
export function pyRepr(value: PyValue, asFloat = false): string {
  if (value === null || value === undefined) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'number':
      return asFloat || !Number.isInteger(value) || Object.is(value, -0) ? pyFloat(value) : BigInt(value).toString();
    case 'string':
      return pyString(value);
    default:
  }
  if (Array.isArray(value)) {
    const items = value.map((item: PyValue) => pyRepr(item, asFloat));
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
  }
  return value.toString();
}

/** Indents every line but the first; blank lines stay empty. */
export function addIndent(text: string, spaces: number): string {
  const pad = ' '.repeat(spaces);
  return text
    .split('\n')
    .map((line, i) => (i === 0 ? line : line.trim() && pad + line))
    .join('\n');
}

function layout(name: string, lines: readonly string[]): string {
  return lines.length === 0 ? `${name}()` : `${name}(\n  ${lines.join('\n  ')}\n)`;
}

/** The text of a module: its class name, its own description and its children's texts. */
export function moduleToString(
  name: string,
  extraRepr: string,
  children: readonly (readonly [name: string, text: string])[],
): string {
  const extra = extraRepr === '' ? [] : extraRepr.split('\n');
  if (extra.length === 1 && children.length === 0) return `${name}(${extraRepr})`;
  return layout(name, [...extra, ...children.map(([key, text]) => `(${key}): ${addIndent(text, 2)}`)]);
}

/** The text of a ModuleList: neighbours with the same text share one entry, such as `(0-3): 4 x Linear(...)`. */
export function moduleListToString(name: string, children: readonly string[]): string {
  const lines: string[] = [];
  for (let first = 0; first < children.length; ) {
    const text = children[first];
    let end = first + 1;
    while (end < children.length && children[end] === text) end++;
    const label = end - first === 1 ? `(${first}): ` : `(${first}-${end - 1}): ${end - first} x `;
    lines.push(addIndent(label + text, 2));
    first = end;
  }
  return layout(name, lines);
}
