/** Written by the tests: the first images of MNIST and their labels, in base64. */
export interface Split {
  images: string;
  labels: string;
}
export const train: Split;
export const test: Split;
