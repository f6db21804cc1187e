/** `typetorch/data`: data sets, samplers and the loader (`torch.utils.data`). */
import '../tensor/methods.js';

export { type Collated, defaultCollate, defaultConvert } from './collate.js';
export {
  ConcatDataset,
  type DataSource,
  Dataset,
  type DatasetLike,
  randomSplit,
  Subset,
  TensorDataset,
} from './dataset.js';
export { DataLoader, type DataLoaderOptions } from './loader.js';
export {
  BatchSampler,
  RandomSampler,
  type RandomSamplerOptions,
  Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from './sampler.js';
