// Prints the pointwise kernels of all op records as C++ into kernels/generated/pointwise.inc.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cTypes = {
  float32: 'float',
  float64: 'double',
  int64: 'int64_t',
  int32: 'int32_t',
  uint8: 'uint8_t',
  bool: 'uint8_t',
};

/** One struct per expression and kind of element, one PW line per dtype. */
function printKernel({ name, inputs, expr, dtypes, toBool, boolInputs = [] }, toCpp) {
  const lines = [];
  for (const kind of ['bool', 'integer', 'float']) {
    const members = dtypes.filter((d) => d.category === kind);
    if (members.length === 0) continue;
    // Arithmetic on bool works on bytes of 0 and 1 and stores whether the result is non-zero.
    const allBool = kind === 'bool';
    const mask = allBool ? 2 ** inputs - 1 : boolInputs.reduce((bits, k) => bits | (1 << k), 0);
    const struct = `op_${name}_${kind}`;
    lines.push(
      `struct ${struct} { static constexpr int inputs = ${inputs}, params = 0, cost = ${Math.max(1, expr.cost)}; static constexpr unsigned boolIn = ${mask};`,
      `  template <class V> static TT_INLINE auto eval(const V* x, [[maybe_unused]] const V* p) { ${toCpp(expr, { integer: kind === 'integer', toMask: allBool || toBool })} } };`,
    );
    for (const d of members) {
      lines.push(
        `PW(${name}_${d.suffix}, ${struct}, ${cTypes[d.name]}, ${toBool || allBool ? 'tt_bool' : cTypes[d.name]})`,
      );
    }
  }
  return lines;
}

export async function generateKernels() {
  const { kernelSources } = await import('../dist/ops/pointwise.js');
  const { toCpp } = await import('../dist/ops/scalar.js');
  await import('../dist/ops/index.js');
  const sources = kernelSources.flatMap((source) => source());
  const text = `${sources.flatMap((source) => printKernel(source, toCpp)).join('\n')}\n`;
  const path = join(root, 'kernels/generated/pointwise.inc');
  mkdirSync(dirname(path), { recursive: true });
  let before;
  try {
    before = readFileSync(path, 'utf8');
  } catch {}
  if (before !== text) writeFileSync(path, text);
  return sources.length;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(`${await generateKernels()} pointwise formulas printed`);
