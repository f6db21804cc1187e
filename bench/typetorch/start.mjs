// A small program: from nothing to the loss of the first training step.
import * as torch from 'typetorch';
import { nn, optim } from 'typetorch';

const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 128), new nn.ReLU(), new nn.Linear(128, 10));
const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
const criterion = new nn.CrossEntropyLoss();
const x = torch.randn(64, 1, 28, 28);
const y = torch.randint(0, 10, [64]);

optimizer.zeroGrad();
const loss = criterion(model(x), y);
loss.backward();
optimizer.step();
console.log(`loss ${loss.item()}`);
