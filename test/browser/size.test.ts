import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, inject, test } from 'vitest';

async function sizeOf(external: string[]): Promise<{ raw: number; gzip: number }> {
  const { outputFiles } = await build({
    stdin: { contents: "export * from 'typetorch';", resolveDir: inject('stranger') },
    bundle: true,
    minify: true,
    format: 'esm',
    external,
    write: false,
  });
  const { contents } = outputFiles[0];
  return { raw: contents.length, gzip: gzipSync(contents, { level: 9 }).length };
}

test('tensors, autograd, nn and optim take at most 100 KB, beside the kernels', async ({ task }) => {
  const code = await sizeOf(['*/embedded.js']);
  const all = await sizeOf([]);
  const words = ({ raw, gzip }: typeof code) => `${(gzip / 1000).toFixed(1)} KB gzip (${(raw / 1000).toFixed(1)} KB)`;
  task.meta.figures = `without the kernels ${words(code)}, with them ${words(all)}`;
  expect(code.gzip).toBeLessThanOrEqual(100_000);
});
