import * as torch from 'typetorch';
import { nn, type Tensor } from 'typetorch';
import { transforms } from 'typetorch/vision';

/** 784 pixels, 128 hidden units, 10 digits. */
export class SimpleNN extends nn.Module {
  flatten = new nn.Flatten();
  fc1 = new nn.Linear(28 * 28, 128);
  relu = new nn.ReLU();
  fc2 = new nn.Linear(128, 10);

  forward(x: Tensor): Tensor {
    return this.fc2(this.relu(this.fc1(this.flatten(x))));
  }
}

const normalize = new transforms.Normalize([0.1307], [0.3081], { inplace: true });

/** Images as bytes [n, 28, 28] to floats [n, 1, 28, 28] around zero, by the mean and deviation of MNIST's pixels. */
export function normalise(images: Tensor): Tensor {
  return torch.tidy(() => normalize(images.unsqueeze(1).to(torch.float32).div_(255)));
}
