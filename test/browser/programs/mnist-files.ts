import * as torch from 'typetorch';
import { DataLoader } from 'typetorch/data';
import { datasets, transforms } from 'typetorch/vision';

/** The first shuffled batch of the data set in the folder or at the address `root`. */
export function firstBatch(root: string): { pixels: number[]; labels: number[] } {
  torch.manualSeed(0);
  const transform = new transforms.Compose([new transforms.ToTensor(), new transforms.Normalize([0.1307], [0.3081])]);
  const dataset = new datasets.MNIST(root, { train: false, transform });
  for (const [images, labels] of new DataLoader(dataset, { batchSize: 64, shuffle: true })) {
    return { pixels: images.flatten().tolist() as number[], labels: labels.tolist() as number[] };
  }
  throw new Error('the data set is empty');
}
