import type { Tensor } from 'typetorch';
import * as torch from 'typetorch';
import type { Part } from './data.js';
import { CLASSES, MISTAKES_SHOWN, type Mistake, type Score } from './messages.js';
import type { SimpleNN } from './model.js';

const BATCH = 500;

/** What the test images say about a network. */
export interface Examination {
  score: Score;
  wrong: number;
  /** Those that it is surest of. */
  mistakes: Mistake[];
}

/** Tries all images of a part. */
export function examine(
  model: SimpleNN,
  criterion: (output: Tensor, target: Tensor) => Tensor,
  part: Part,
): Examination {
  const [images, targets] = part.dataset.tensors;
  const wrong: { index: number; guess: number; confidence: number }[] = [];
  let loss = 0;
  model.eval();
  for (let from = 0; from < part.length; from += BATCH) {
    const at = torch.slice(from, Math.min(part.length, from + BATCH));
    const target = targets.index(at);
    const [batchLoss, probabilities] = torch.noGrad(() =>
      torch.tidy(() => {
        const output = model(images.index(at));
        return [criterion(output, target).item(), output.softmax(1).toTypedArray() as Float32Array] as const;
      }),
    );
    loss += batchLoss * target.length;
    for (let i = 0; i < target.length; i++) {
      const row = probabilities.subarray(i * CLASSES, (i + 1) * CLASSES);
      const confidence = Math.max(...row);
      const guess = row.indexOf(confidence);
      const index = from + i;
      if (guess !== part.labels[index]) wrong.push({ index, guess, confidence });
    }
  }
  model.train();
  wrong.sort((a, b) => b.confidence - a.confidence);
  return {
    score: { loss: loss / part.length, accuracy: 1 - wrong.length / part.length },
    wrong: wrong.length,
    // No guess at all where the numbers have overflowed.
    mistakes: wrong
      .filter(({ guess }) => guess >= 0)
      .slice(0, MISTAKES_SHOWN)
      .map(({ index, guess, confidence }) => ({ ...part.sample(index), guess, confidence })),
  };
}
