import { RuntimeError } from '../core/errors.js';
import { sameShape } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import { contiguousValues } from '../ops/iterate.js';
import { grad } from './engine.js';
import { enableGrad, noGrad } from './modes.js';

/** Comparison of derivatives with central differences, in float64 (PyTorch: torch.autograd.gradcheck). */

export interface GradcheckOptions {
  /** Step of the differences. */
  eps?: number;
  atol?: number;
  rtol?: number;
  /** Return false instead of throwing. */
  raiseException?: boolean;
}

type Outputs = Tensor | readonly Tensor[];
type Checked = (...inputs: Tensor[]) => Outputs;

const listOf = (outputs: Outputs) =>
  (outputs instanceof Tensor ? [outputs] : [...outputs]).filter((t) => t.isFloatingPoint());

const numbersOf = (t: Tensor): number[] => {
  const flat = contiguousValues(t);
  const { array, start } = flat.elements();
  return Array.from(array.subarray(start, start + t.count) as Float64Array);
};

/** Columns of the Jacobian of each output in each element of `input`. */
function numerical(fn: Checked, inputs: readonly Tensor[], input: Tensor, eps: number): number[][][] {
  const { array, start } = input.elements();
  const data = array as Float64Array;
  const places: number[] = [];
  const walk = (d: number, at: number): void => {
    if (d === input.ndim) places.push(at);
    else for (let i = 0; i < input.shape[d]; i++) walk(d + 1, at + i * input.strides[d]);
  };
  walk(0, start);
  return places.map((place) => {
    const before = data[place];
    const values = [eps, -eps].map((step) => {
      input.elements().array[place] = before + step;
      return noGrad(() => listOf(fn(...inputs)).map(numbersOf));
    });
    input.elements().array[place] = before;
    return values[0].map((plus, o) => plus.map((v, i) => (v - values[1][o][i]) / (2 * eps)));
  });
}

/**
 * Checks first derivatives of `fn` at `inputs` (those that require grad, float64) against central differences, and
 * that backward gives the same bits twice. Defaults: eps 1e-6, atol 1e-5, rtol 1e-3.
 */
export function gradcheck(fn: Checked, inputs: Tensor | readonly Tensor[], options: GradcheckOptions = {}): boolean {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3, raiseException = true } = options;
  const list = inputs instanceof Tensor ? [inputs] : [...inputs];
  const fail = (message: string): boolean => {
    if (raiseException) throw new RuntimeError(message);
    return false;
  };
  const checked = list.filter((t) => t instanceof Tensor && t.requiresGrad);
  if (checked.length === 0) {
    throw new RuntimeError(
      'gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True.',
    );
  }
  for (const input of checked) {
    if (input.dtype.name !== 'float64') throw new RuntimeError(`gradcheck: inputs must be float64, got ${input.dtype}`);
  }
  const outputs = enableGrad(() => listOf(fn(...list)));
  for (let k = 0; k < checked.length; k++) {
    const input = checked[k];
    const expected = numerical(fn, list, input, eps);
    for (let o = 0; o < outputs.length; o++) {
      const output = outputs[o];
      for (let i = 0; i < output.count; i++) {
        const analytic = () => rowOf(output, i, input);
        const row = output.requiresGrad ? analytic() : new Array<number>(input.count).fill(0);
        const again = output.requiresGrad ? analytic() : row;
        for (let j = 0; j < input.count; j++) {
          if (!Object.is(row[j], again[j]))
            return fail(`Backward is not reentrant: ${row[j]} then ${again[j]} for output ${o}, input ${k}`);
          const want = expected[j][o][i];
          if (!(Math.abs(row[j] - want) <= atol + rtol * Math.abs(want))) {
            return fail(
              `Jacobian mismatch for output ${o} with respect to input ${k}: element [${i}, ${j}] numerical ${want}, analytical ${row[j]}`,
            );
          }
        }
      }
    }
  }
  return true;
}

function rowOf(output: Tensor, i: number, input: Tensor): number[] {
  const seed = output.newZeros(output.shape);
  const { array, start } = seed.elements();
  (array as Float64Array)[start + i] = 1;
  const [g] = grad(output, input, { gradOutputs: seed, retainGraph: true, allowUnused: true });
  if (g === null) return new Array<number>(input.count).fill(0);
  if (!sameShape(g.shape, input.shape)) {
    throw new RuntimeError(
      `gradient of shape [${g.shape.join(', ')}] for an input of shape [${input.shape.join(', ')}]`,
    );
  }
  return numbersOf(g);
}

/** Checks second derivatives: {@link gradcheck} of the gradient of `fn`. */
export function gradgradcheck(
  fn: Checked,
  inputs: Tensor | readonly Tensor[],
  options: GradcheckOptions = {},
): boolean {
  const list = inputs instanceof Tensor ? [inputs] : [...inputs];
  const outputs = enableGrad(() => listOf(fn(...list)));
  // Fixed weights for the outputs, themselves differentiated, so that no second derivative cancels.
  const weights = outputs.map((output, o) => {
    const w = output.newZeros(output.shape);
    const { array, start } = w.elements();
    for (let i = 0; i < w.count; i++) (array as Float64Array)[start + i] = Math.sin(1 + 1.7 * i + o) + 1.5;
    return w.requiresGrad_();
  });
  const wanted = list.filter((t) => t.requiresGrad);
  const gradients: Checked = (...all) => {
    const args = all.slice(0, list.length);
    const gradOutputs = all.slice(list.length);
    return enableGrad(() => {
      const results = listOf(fn(...args));
      const pairs = results.map((t, i) => [t, gradOutputs[i]] as const).filter(([t]) => t.requiresGrad);
      const inner = args.filter((t) => wanted.includes(t));
      const found = grad(
        pairs.map(([t]) => t),
        inner,
        { gradOutputs: pairs.map(([, g]) => g), createGraph: true, allowUnused: true },
      );
      return found.map((g, i) => g ?? inner[i].newZeros(inner[i].shape));
    });
  };
  return gradcheck(gradients, [...list, ...weights], options);
}
