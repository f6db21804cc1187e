import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : path.endsWith('.ts') ? [path] : [];
  });
}

/** Layers from the bottom; a file imports its own layer or lower ones. Hosts know nothing of each other. */
const layers = ['backend', 'core', 'ops', 'autograd', 'tensor', 'nn', 'optim', 'index.ts', 'data', 'vision'];
const hosts = ['browser', 'node'];
const folderOf = (path: string) => relative(src, path).split('/')[0];
const layerOf = (path: string) => (hosts.includes(folderOf(path)) ? layers.length : layers.indexOf(folderOf(path)));

const files = filesIn(src).map((path) => {
  const text = readFileSync(path, 'utf8');
  const imports = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm)];
  return {
    path,
    text,
    imports: imports.map(([, type, from, bare]) => ({ typeOnly: type !== undefined, name: from ?? bare })),
  };
});

describe('the house', () => {
  it('imports point down only', () => {
    const wrong: string[] = [];
    for (const { path, imports } of files) {
      for (const { typeOnly, name } of imports) {
        if (typeOnly || !name.startsWith('.')) continue;
        const target = resolve(dirname(path), name);
        const file = target.replace(/\.js$/, '.ts');
        const betweenHosts = hosts.includes(folderOf(file)) && folderOf(file) !== folderOf(path);
        if (layerOf(file) > layerOf(path) || betweenHosts) wrong.push(`${relative(src, path)} -> ${name}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('only the entry for Node imports node: modules, and nothing imports packages', () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports
        .filter(({ name }) => !name.startsWith('.') && !(name.startsWith('node:') && folderOf(path) === 'node'))
        .map(({ name }) => `${relative(src, path)} -> ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('files stay under 600 lines', () => {
    const long = files.filter(({ text }) => text.split('\n').length > 600).map(({ path }) => relative(src, path));
    expect(long).toEqual([]);
  });
});
