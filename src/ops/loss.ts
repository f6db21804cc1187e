import { callKernel, kernel } from '../backend/backend.js';
import { type DType, float32, float64, int64 } from '../core/dtype.js';
import { checkOptions, IndexError, NotImplementedError, RuntimeError, ValueError } from '../core/errors.js';
import { numelOf } from '../core/shape.js';
import { isGradEnabled } from '../core/tape.js';
import { empty, type Tensor } from '../core/tensor.js';
import { contiguousValues } from './iterate.js';
import { checkTensor, composite, Kept, type Op, op, type SampleArgument } from './op.js';

/** Losses over classes. `crossEntropy` picks the fused kernel where it applies and is a composite otherwise. */

export type ReductionName = 'none' | 'mean' | 'sum';
export interface NllOptions {
  weight?: Tensor | null;
  ignoreIndex?: number;
  reduction?: ReductionName;
}
export interface CrossEntropyOptions extends NllOptions {
  labelSmoothing?: number;
}

const floats = [float32, float64];
const pair = (name: string) => floats.map((d) => kernel(`${name}_${d.suffix}`));
const pick = (keys: number[], dtype: DType) => keys[dtype === float32 ? 0 : 1];
const codes: Record<ReductionName, number> = { none: 0, mean: 1, sum: 2 };
/** Kernels report a class outside the range as this plus the class. */
const BAD_TARGET = 1e15;

export function reductionCode(value: ReductionName): number {
  if (!Object.hasOwn(codes, value)) throw new ValueError(`${String(value)} is not a valid value for reduction`);
  return codes[value];
}

/** Classes must be whole-number tensors; a float one gets the one-line fix. */
export function checkTarget(name: string, target: Tensor): void {
  checkTensor(name, 'target', target);
  if (target.dtype === int64) return;
  throw new RuntimeError(
    `expected scalar type Long but found ${target.dtype.title}: ${name}() wants class indices as int64; write torch.tensor([...], { dtype: 'int64' }) or target.long()`,
  );
}

interface Problem {
  n: number;
  classes: number;
  inner: number;
  ignoreIndex: number;
  code: number;
  weight: Tensor | null;
}

function readNll(name: string, input: Tensor, target: Tensor, options: NllOptions | undefined): Problem {
  checkTensor(name, 'input', input);
  if (input.dtype.category !== 'float')
    throw new NotImplementedError(`"${name}" not implemented for '${input.dtype.title}'`);
  checkTarget(name, target);
  const batched = input.ndim > 1;
  if (input.ndim === 0) throw new ValueError(`Expected 1 or more dimensions (got ${input.ndim})`);
  if (target.ndim !== input.ndim - 1) {
    throw new RuntimeError(
      `${name}(): expected target of shape [${[...input.shape.slice(0, batched ? 1 : 0), ...input.shape.slice(2)].join(', ')}] for input of shape [${input.shape.join(', ')}], got [${target.shape.join(', ')}]`,
    );
  }
  const n = batched ? input.shape[0] : 1;
  if (batched && target.shape[0] !== n) {
    throw new ValueError(`Expected input batch_size (${n}) to match target batch_size (${target.shape[0]}).`);
  }
  for (let d = 2; d < input.ndim; d++) {
    if (target.shape[d - 1] !== input.shape[d]) {
      throw new RuntimeError(
        `size mismatch (got input: [${input.shape.join(', ')}], target: [${target.shape.join(', ')}]`,
      );
    }
  }
  const classes = input.shape[batched ? 1 : 0];
  const weight = options?.weight ?? null;
  if (weight?.requiresGrad && isGradEnabled()) {
    throw new RuntimeError(
      `${name}() is not differentiable with respect to argument 'weight'. This input cannot have requiresGrad true.`,
    );
  }
  if (weight !== null && (weight.ndim !== 1 || weight.count !== classes)) {
    throw new RuntimeError(
      `weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: [${weight.shape.join(', ')}]`,
    );
  }
  return {
    n,
    classes,
    inner: numelOf(input.shape.slice(2)),
    ignoreIndex: options?.ignoreIndex ?? -100,
    code: reductionCode(options?.reduction ?? 'mean'),
    weight: weight === null ? null : contiguousValues(weight.to(input.dtype)),
  };
}

function checkBad(status: number): void {
  if (status >= BAD_TARGET / 2) throw new IndexError(`Target ${status - BAD_TARGET} is out of bounds.`);
}

/** Options of a sample with random class weights, which PyTorch wants in the dtype of the input. */
const weighted = (options: Record<string, number | string>, classes = 5): SampleArgument => ({
  options: {
    weight: { shape: [classes], low: 0.2, high: 2 },
    ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, { value }])),
  },
});

const nllForward = pair('nll');
const nllBackwardKernels = pair('nll_backward');

/** Gradient of {@link nllLoss}; the weights of the samples are summed anew, which costs little. */
const nllBackward: (
  grad: Tensor,
  input: Tensor,
  target: Tensor,
  options: NllOptions | undefined,
  total: Tensor,
) => Tensor = op({
  name: 'nllLossBackward',
  torch: 'ops.aten.nll_loss_backward',
  kind: 'composite',
  doc: 'Gradient of nllLoss: -weight at the target class, scaled as the reduction says',
  dtypes: floats,
  forward(grad: Tensor, input: Tensor, target: Tensor, options: NllOptions | undefined, total: Tensor): Tensor {
    const p = readNll('nllLoss', empty(input.shape, grad.dtype), target, options);
    const out = empty(input.shape, grad.dtype);
    if (out.count === 0) return out;
    const key = pick(nllBackwardKernels, grad.dtype);
    const g = contiguousValues(grad);
    const w = p.weight === null ? 0 : p.weight.address;
    const t = contiguousValues(target);
    callKernel(
      key,
      p.n,
      p.classes,
      p.inner,
      g.address,
      t.address,
      w,
      p.ignoreIndex,
      p.code,
      out.address,
      total.address,
    );
    return out;
  },
  saves: [2, 4],
  derivative: {
    0: (g, [, input, target, options, total]) => {
      // The map from grad to gradient is linear: gather the same entries back.
      const dim = input.shape.length > 1 ? 1 : 0;
      const keep = target.ne(options?.ignoreIndex ?? -100);
      const safe = target.where(keep, 0);
      let scale = keep.to(g.dtype).neg();
      if (options?.weight)
        scale = scale.mul(options.weight.to(g.dtype).indexSelect(0, safe.reshape(-1)).reshape(safe.shape));
      const picked = g.gather(dim, safe.unsqueeze(dim)).squeeze(dim).mul(scale);
      const reduction = options?.reduction ?? 'mean';
      if (reduction === 'none') return picked;
      return reduction === 'sum' ? picked.sum() : picked.sum().div(total);
    },
  },
});

function runNll(input: Tensor, target: Tensor, options: NllOptions | undefined): { loss: Tensor; total: Tensor } {
  const p = readNll('nllLoss', input, target, options);
  const loss = empty(p.code === 0 ? target.shape : [], input.dtype);
  const total = empty([], input.dtype);
  const values = contiguousValues(input);
  const t = contiguousValues(target);
  const w = p.weight === null ? 0 : p.weight.address;
  const key = pick(nllForward, input.dtype);
  checkBad(
    callKernel(
      key,
      p.n,
      p.classes,
      p.inner,
      values.address,
      t.address,
      w,
      p.ignoreIndex,
      p.code,
      loss.address,
      total.address,
    ),
  );
  return { loss, total };
}

export const nllLoss: Op<(self: Tensor, target: Tensor, options?: NllOptions) => Tensor> = op({
  name: 'nllLoss',
  torch: 'nn.functional.nll_loss',
  kind: 'composite',
  doc: '-weight[y] * input[y] for each sample, averaged by weight (mean), summed, or one by one (none)',
  dtypes: floats,
  forward(self: Tensor, target: Tensor, options?: NllOptions): Tensor {
    checkOptions('nllLoss', options, ['weight', 'ignoreIndex', 'reduction']);
    return runNll(self, target, options).loss;
  },
  saves: [1],
  derivative: {
    0: (grad, [self, target, options]) => {
      const flat = target.where(target.ne(options?.ignoreIndex ?? -100), 0).reshape(-1);
      const counted = target
        .ne(options?.ignoreIndex ?? -100)
        .reshape(-1)
        .to(grad.dtype);
      const weights = options?.weight ? options.weight.to(grad.dtype).indexSelect(0, flat).mul(counted) : counted;
      return nllBackward(grad, self, target, options, weights.sum());
    },
  },
  samples: [
    { args: [{ shape: [3, 5] }, { data: [1, 0, 4], dtype: 'int64' }] },
    { args: [{ shape: [3, 5] }, { data: [1, -100, 4], dtype: 'int64' }, { value: { reduction: 'sum' } }] },
    {
      args: [
        { shape: [2, 3, 2] },
        {
          data: [
            [0, 2],
            [1, 1],
          ],
          dtype: 'int64',
        },
        { value: { reduction: 'none' } },
      ],
    },
    { args: [{ shape: [5] }, { data: 2, dtype: 'int64' }] },
    { args: [{ shape: [3, 5] }, { data: [1, -100, 4], dtype: 'int64' }, weighted({})] },
    {
      args: [
        { shape: [2, 3, 2] },
        {
          data: [
            [0, 2],
            [1, 1],
          ],
          dtype: 'int64',
        },
        weighted({ ignoreIndex: 1 }, 3),
      ],
    },
    { args: [{ shape: [3, 5] }, { data: [1, 0, 4], dtype: 'int64' }, weighted({ reduction: 'none' })] },
  ],
  errors: [
    { args: [{ shape: [2, 3] }, { data: [0, 3], dtype: 'int64' }], message: 'Target 3 is out of bounds.' },
    { args: [{ shape: [2, 3] }, { data: [0, 1] }], message: 'expected scalar type Long but found Float' },
    {
      args: [{ shape: [2, 3] }, { data: [0, 1], dtype: 'int64' }, { value: { reduction: 'avg' } }],
      message: 'avg is not a valid value for reduction',
    },
  ],
});

const fusedForward = pair('cross_entropy');
const fusedBackward = pair('cross_entropy_backward');

/** Fused cross entropy over [N, C] logits without weights. The log-softmax that backward needs travels beside the loss. */
const fused: (
  input: Tensor,
  target: Tensor,
  ignoreIndex: number,
  code: number,
  smoothing: number,
  kept: Kept<'logp' | 'total'>,
) => Tensor = op({
  name: 'crossEntropyFused',
  torch: 'nn.functional.cross_entropy',
  kind: 'composite',
  doc: 'crossEntropy for class indices, in one pass forward and one backward',
  dtypes: floats,
  forward(
    input: Tensor,
    target: Tensor,
    ignoreIndex: number,
    code: number,
    smoothing: number,
    kept: Kept<'logp' | 'total'>,
  ): Tensor {
    const [n, classes] = input.shape;
    const { dtype } = input;
    const loss = empty(code === 0 ? [n] : [], dtype);
    const total = empty([], dtype);
    const logp = empty(input.shape, dtype);
    const x = contiguousValues(input);
    const t = contiguousValues(target);
    const key = pick(fusedForward, dtype);
    const at = loss.address;
    checkBad(
      callKernel(
        key,
        n,
        classes,
        1,
        x.address,
        t.address,
        0,
        ignoreIndex,
        code,
        at,
        total.address,
        logp.address,
        smoothing,
      ),
    );
    kept.set({ logp, total });
    return loss;
  },
  saves: [0, 1],
  derivative: {
    0: (grad, [input, target, ignoreIndex, code, smoothing, kept]) =>
      fusedGradient(grad, input, target, ignoreIndex, code, smoothing, kept.get()),
  },
});

/** Gradient of the fused loss; where it is to be differentiated again, from differentiable ops. */
function fusedGradient(
  grad: Tensor,
  input: Tensor,
  target: Tensor,
  ignoreIndex: number,
  code: number,
  smoothing: number,
  kept: { logp: Tensor; total: Tensor },
): Tensor {
  const [n, classes] = input.shape;
  if (isGradEnabled()) {
    const keep = target.ne(ignoreIndex);
    const safe = target.where(keep, 0).unsqueeze(1);
    const ones = input.newZeros([n, 1]).add(1 - smoothing);
    const goal = input
      .newZeros([n, classes])
      .scatterAdd(1, safe, ones)
      .add(smoothing / classes);
    const each = input.softmax(1).sub(goal).mul(keep.to(input.dtype).unsqueeze(1));
    if (code === 0) return each.mul(grad.unsqueeze(1));
    return each.mul(code === 1 ? grad.div(kept.total) : grad);
  }
  const out = empty(input.shape, input.dtype);
  const t = contiguousValues(target);
  const g = contiguousValues(grad);
  const key = pick(fusedBackward, input.dtype);
  callKernel(
    key,
    n,
    classes,
    1,
    g.address,
    t.address,
    0,
    ignoreIndex,
    code,
    out.address,
    kept.total.address,
    kept.logp.address,
    smoothing,
  );
  return out;
}

export const crossEntropy: Op<(input: Tensor, target: Tensor, options?: CrossEntropyOptions) => Tensor> = composite({
  name: 'crossEntropy',
  torch: 'nn.functional.cross_entropy',
  doc: '-log softmax(input)[target], for class indices or probabilities; options weight, ignoreIndex, reduction, labelSmoothing',
  dtypes: floats,
  forward(input: Tensor, target: Tensor, options?: CrossEntropyOptions): Tensor {
    checkOptions('crossEntropy', options, ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing']);
    checkTensor('crossEntropy', 'input', input);
    checkTensor('crossEntropy', 'target', target);
    const smoothing = options?.labelSmoothing ?? 0;
    if (!(smoothing >= 0 && smoothing <= 1))
      throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${smoothing}`);
    const dim = input.ndim > 1 ? 1 : 0;
    if (target.dtype.category === 'float' && target.shape.join() === input.shape.join()) {
      return probabilities(input, target, options, smoothing, dim);
    }
    const p = readNll('crossEntropy', input, target, options);
    if (input.ndim === 2 && p.weight === null && p.n > 0) {
      const kept = new Kept<'logp' | 'total'>('CrossEntropyLossBackward0');
      const loss = fused(input, target, p.ignoreIndex, p.code, smoothing, kept);
      if (!loss.requiresGrad) kept.release();
      return loss;
    }
    const logp = input.logSoftmax(dim);
    const nll = nllLoss(logp, target, {
      weight: options?.weight,
      ignoreIndex: options?.ignoreIndex,
      reduction: options?.reduction,
    });
    return smoothing === 0 ? nll : smoothed(logp, target, nll, options as CrossEntropyOptions, smoothing, dim);
  },
  samples: [
    { args: [{ shape: [3, 5] }, { data: [1, 0, 4], dtype: 'int64' }] },
    {
      args: [
        { shape: [3, 5] },
        { data: [1, -100, 4], dtype: 'int64' },
        { value: { reduction: 'sum', labelSmoothing: 0.1 } },
      ],
    },
    { args: [{ shape: [3, 5] }, { data: [1, 2, 4], dtype: 'int64' }, { value: { reduction: 'none' } }] },
    {
      args: [
        { shape: [2, 3, 2] },
        {
          data: [
            [0, 2],
            [1, 1],
          ],
          dtype: 'int64',
        },
        { value: { labelSmoothing: 0.2 } },
      ],
    },
    { args: [{ shape: [2, 3] }, { shape: [2, 3], low: 0, high: 1 }] },
    {
      args: [
        { shape: [2, 3], low: -1e4, high: 1e4 },
        { data: [2, 0], dtype: 'int64' },
      ],
    },
    {
      args: [
        { shape: [3, 5] },
        { data: [1, 1, 4], dtype: 'int64' },
        { value: { ignoreIndex: 1, reduction: 'mean', labelSmoothing: 0.3 } },
      ],
    },
    { args: [{ shape: [3, 5] }, { data: [1, -100, 4], dtype: 'int64' }, weighted({ labelSmoothing: 0.1 })] },
    {
      args: [
        { shape: [3, 5] },
        { data: [1, 0, 4], dtype: 'int64' },
        weighted({ labelSmoothing: 0.1, reduction: 'sum' }),
      ],
    },
    { args: [{ shape: [3, 5] }, { data: [1, -100, 4], dtype: 'int64' }, weighted({ reduction: 'none' })] },
    { args: [{ shape: [2, 3] }, { shape: [2, 3], low: 0, high: 1 }, weighted({ labelSmoothing: 0.1 }, 3)] },
    { args: [{ shape: [2, 3] }, { shape: [2, 3], low: 0, high: 1 }, { value: { reduction: 'none' } }] },
    { args: [{ shape: [5] }, { data: 2, dtype: 'int64' }, { value: { labelSmoothing: 0.1 } }] },
  ],
  errors: [
    { args: [{ shape: [2, 3] }, { data: [0, 3], dtype: 'int64' }], message: 'Target 3 is out of bounds.' },
    { args: [{ shape: [2, 3] }, { data: [0, 1] }], message: 'expected scalar type Long but found Float' },
    {
      args: [{ shape: [2, 3] }, { data: [0, 1, 2], dtype: 'int64' }],
      message: 'Expected input batch_size (2) to match target batch_size (3).',
    },
  ],
});

function probabilities(
  input: Tensor,
  target: Tensor,
  options: CrossEntropyOptions | undefined,
  smoothing: number,
  dim: number,
): Tensor {
  if (input.ndim === 0) throw new ValueError('crossEntropy(): expected 1 or more dimensions (got 0)');
  const classes = input.shape[dim];
  const goal = smoothing === 0 ? target : target.mul(1 - smoothing).add(smoothing / classes);
  let each = input.logSoftmax(dim).mul(goal);
  if (options?.weight) each = each.mul(classWeights(options.weight, input, dim));
  const losses = each.sum(dim).neg();
  const reduction = options?.reduction ?? 'mean';
  reductionCode(reduction);
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? losses.sum() : losses.sum().div(input.count / classes);
}

const classWeights = (weight: Tensor, like: Tensor, dim: number) =>
  weight.to(like.dtype).reshape(like.shape.map((size, d) => (d === dim ? size : 1)));

function smoothed(
  logp: Tensor,
  target: Tensor,
  nll: Tensor,
  options: CrossEntropyOptions,
  smoothing: number,
  dim: number,
): Tensor {
  const classes = logp.shape[dim];
  const { weight } = options;
  const keep = target.ne(options.ignoreIndex ?? -100);
  const spread = (weight ? logp.mul(classWeights(weight, logp, dim)) : logp).sum(dim).neg().where(keep, 0);
  const reduction = options.reduction ?? 'mean';
  let part = spread;
  if (reduction === 'sum') part = spread.sum();
  else if (reduction === 'mean') {
    const safe = target.where(keep, 0).reshape(-1);
    const counted = keep.reshape(-1).to(logp.dtype);
    const total = weight ? weight.to(logp.dtype).indexSelect(0, safe).mul(counted).sum() : counted.sum();
    part = spread.sum().div(total);
  }
  return nll.mul(1 - smoothing).add(part.mul(smoothing / classes));
}
