// Prints the calls that PyTorch is asked to make for test/goldens/ops.json.gz, derived from the op records, as JSON.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const load = (path) => import(pathToFileURL(join(root, 'dist/ops', path)).href);
const families = { torch: 'index.js', method: 'method-only.js', functional: 'functional.js' };

const floats = ['float32', 'float64'];
const integers = ['int64', 'int32', 'uint8'];
const dtypes = [...floats, ...integers, 'bool'];

/** Values at which formulas tend to go wrong; strings stand for what JSON has no number for. */
const special = {
  float32: [
    'nan',
    'inf',
    '-inf',
    0,
    '-0',
    1,
    -1,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    1.17549435e-38,
    1e-42,
    -1e-42,
    1e-20,
    1e-7,
    3.4028234e38,
    -3.4028234e38,
    88,
    89,
    -88,
    -104,
    1e4,
    3,
    0.1,
  ],
  float64: [
    'nan',
    'inf',
    '-inf',
    0,
    '-0',
    1,
    -1,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    2.2250738585072014e-308,
    5e-324,
    -5e-324,
    1e-200,
    1e-15,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    709,
    710,
    -709,
    -746,
    1e4,
    3,
    0.1,
  ],
  int64: [0, 1, -1, 2, -2, 3, 7, -7, 100, '9223372036854775807', '-9007199254740993'],
  int32: [0, 1, -1, 2, -2, 3, 7, -7, 100, 2147483647],
  uint8: [0, 1, 2, 3, 7, 100, 127, 128, 255],
  bool: [0, 1],
};
const paired = {
  ...special,
  float32: ['nan', 'inf', '-inf', 0, '-0', 1, -1, 0.5, -0.5, 2, -3, 1.17549435e-38, 1e-42, 3.4028234e38, 1e-5, 5.5],
  float64: [
    'nan',
    'inf',
    '-inf',
    0,
    '-0',
    1,
    -1,
    0.5,
    -0.5,
    2,
    -3,
    2.2250738585072014e-308,
    5e-324,
    1.7976931348623157e308,
    1e-5,
    5.5,
  ],
};

const isRandom = (a) => 'shape' in a;
const isFree = (a) => (isRandom(a) || 'data' in a) && a.dtype === undefined;
const mapRandom = (args, fn) =>
  args.map((a) => ('list' in a ? { list: mapRandom(a.list, fn) } : isRandom(a) ? { ...a, shape: fn(a.shape) } : a));

/** Exports that carry a record, each record once under its own name; one-argument shorthands with their own function too. */
async function entries() {
  const found = [];
  const byRecord = new Map();
  for (const [family, path] of Object.entries(families)) {
    for (const [name, fn] of Object.entries(await load(path))) {
      if (typeof fn !== 'function' || fn.record === undefined) continue;
      const known = byRecord.get(fn.record);
      if (known === undefined) byRecord.set(fn.record, [{ name, fn, family }]);
      else known.push({ name, fn, family });
    }
  }
  for (const [record, list] of byRecord) {
    const main = list.find((e) => e.name === record.name) ?? list[0];
    found.push({ ...main, record, samples: record.samples });
    for (const alias of list) {
      if (alias.fn === main.fn || alias.fn.length !== 1) continue;
      const firsts = new Map(record.samples.map((s) => [JSON.stringify(s.args[0]), { args: [s.args[0]] }]));
      found.push({ ...alias, record: { ...record, torch: undefined }, samples: [...firsts.values()] });
    }
  }
  return found;
}

function edgeCases(samples) {
  const out = [];
  samples.forEach(({ args }, i) => {
    const first = args.find(isRandom);
    if (first === undefined) return;
    // Given indices would be out of range, which PyTorch does not always notice where there is nothing to index.
    const indexed = args.some((a) => 'data' in a);
    if (first.shape.length > 0 && !first.shape.includes(0) && !indexed) {
      const gone = first.shape[0];
      out.push({ id: `empty${i}`, args: mapRandom(args, (shape) => shape.map((n) => (n === gone ? 0 : n))) });
    }
    if (first.shape.length > 0) out.push({ id: `scalar${i}`, args: mapRandom(args, () => []) });
  });
  return out.map((c) => ({ ...c, group: 'edge', dtypes: ['float32'] }));
}

const cross = (a, b) => a.flatMap((x) => b.map((y) => [x, y]));

function pointwiseCases(samples) {
  const out = [];
  const free = samples[0].args.filter(isFree).length;
  const simple = samples[0].args.length === free;
  for (const dtype of dtypes) {
    if (free === 1 && simple)
      out.push({ id: `special-${dtype}`, group: 'special', dtypes: [dtype], args: [{ data: special[dtype] }] });
    if (free !== 2 || !simple) continue;
    const pairs = cross(paired[dtype], paired[dtype]);
    const call = (id, list) =>
      out.push({ id, group: 'special', dtypes: [dtype], args: [0, 1].map((k) => ({ data: list.map((p) => p[k]) })) });
    call(`special-${dtype}`, pairs);
    if (integers.includes(dtype))
      call(
        `nonzero-${dtype}`,
        pairs.filter((p) => p[1] !== 0),
      );
  }
  if (free >= 2) {
    for (const [i, { args }] of samples.entries()) {
      const tensors = args.filter((a) => isFree(a) && isRandom(a));
      if (tensors.length < 2 || tensors.some((a) => a.shape.includes(0))) continue;
      const ranks = tensors.map((a) => a.shape.length);
      const mixedRanks = ranks.includes(0) && ranks.some((n) => n > 0);
      if (!mixedRanks && out.some((c) => c.group === 'promote' && !c.mixedRanks)) continue;
      for (const pair of cross(dtypes, dtypes)) {
        if (pair[0] === pair[1]) continue;
        const types = [...pair];
        const typed = args.map((a) => (isFree(a) ? { ...a, dtype: types.shift() ?? pair[1] } : a));
        out.push({ id: `promote${i}-${pair.join('-')}`, group: 'promote', dtypes: [pair[0]], args: typed, mixedRanks });
      }
    }
    const number = samples.find(
      ({ args }) => args.length === 2 && isRandom(args[0]) && typeof args[1].value === 'number',
    );
    for (const value of number === undefined ? [] : [2, 1.5, -1, 0]) {
      out.push({ id: `number${value}`, group: 'number', dtypes, args: [number.args[0], { value }] });
    }
  }
  return out;
}

/** Reductions over more elements than a vector or a block of a sum holds. */
function wideCases(samples) {
  const grown = (shape) => shape.map((n) => (n > 1 ? 7 * n : n));
  return samples.flatMap(({ args }, i) => {
    if (!args.some(isRandom) || args.some((a) => isRandom(a) && a.shape.some((n) => n > 5))) return [];
    return [
      { id: `wide${i}`, group: 'wide', dtypes: ['float32', 'float64', 'int64', 'uint8'], args: mapRandom(args, grown) },
    ];
  });
}

function layoutCases(samples) {
  return samples.flatMap(({ args }, i) =>
    ['transposed', 'sliced'].map((layout) => ({
      id: `${layout}${i}`,
      group: 'layout',
      layout,
      dtypes: ['float32'],
      args,
    })),
  );
}

function casesOf({ record, samples }) {
  const out = samples.map(({ args }, i) => ({ id: `${i}`, group: 'sample', dtypes, args }));
  if (record.kind === 'random' || samples.length === 0) return out;
  out.push(...edgeCases(samples));
  if (record.kind === 'pointwise') out.push(...pointwiseCases(samples));
  if (record.kind === 'reduction') out.push(...wideCases(samples));
  if (record.kind === 'view') out.push(...layoutCases(samples));
  return out;
}

const snake = (name) => name.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

export async function manifest() {
  return (await entries()).map((entry) => {
    const { name, family, record } = entry;
    const cases = casesOf(entry).map(({ mixedRanks, ...c }) => ({ ...c, id: `${name}/${c.id}` }));
    return {
      name,
      torch: record.torch ?? snake(name),
      family,
      kind: record.kind,
      differentiable: record.differentiable,
      samples: entry.samples,
      cases,
    };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // JSON would drop an argument that is left out on purpose and numbers that are not finite.
  const plain = (_, v) =>
    v === undefined
      ? null
      : typeof v === 'number' && !Number.isFinite(v)
        ? String(v).replace('Infinity', 'inf').replace('NaN', 'nan')
        : v;
  process.stdout.write(JSON.stringify(await manifest(), plain));
}
