/** `typetorch/data`: data sets, samplers and the loader (`torch.utils.data`). */
import '../tensor/methods.js';

export { type Collated, defaultCollate, defaultConvert } from './collate.js';
export {
  ConcatDataset,
  Dataset,
  type DatasetLike,
  type DataSource,
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
