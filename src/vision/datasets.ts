/** torchvision.datasets */
export { FashionMNIST, KMNIST, MNIST, type MNISTOptions } from './mnist.js';
