import { execFile } from 'node:child_process';
import type { OutgoingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, inject } from 'vitest';
import type { Arguments, Name, Result } from '../programs/programs.js';
import { CHROMIUM_FLAGS, chromiumPath } from './chromium.js';
import { serve } from './server.js';

/** Pages in Chromium, and the same programs in Node. */

/** What a server sends to let a page share memory with threads. */
export const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

let browser: Promise<Browser> | undefined;
afterAll(async () => {
  await (await browser)?.close();
});

/** A page that is open, and what it complained about: console errors, warnings, and errors that nobody caught. */
export interface Visit extends AsyncDisposable {
  page: Page;
  problems: string[];
}

export interface Visited {
  /** Folder to serve. Default: the one with the package and the programs. */
  folder?: string;
  /** Default: the page without a bundler. */
  path?: string;
  headers?: OutgoingHttpHeaders;
}

export async function visit({ folder = inject('stranger'), path = '/plain/', headers }: Visited = {}): Promise<Visit> {
  browser ??= chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_FLAGS });
  const context = await (await browser).newContext();
  const server = await serve(folder, headers);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`not caught: ${error.message}`));
  await page.goto(`${server.origin}${path}`);
  return {
    page,
    problems,
    async [Symbol.asyncDispose]() {
      await context.close();
      server.close();
    },
  };
}

/** Runs one of the programs in a page. */
export async function run<K extends Name>(page: Page, name: K, ...args: Arguments<K>): Promise<Result<K>> {
  const asked: [string, unknown[]] = [name, args];
  return (await page.evaluate(([program, given]) => inPage(program, given), asked)) as Result<K>;
}

/** Runs it in the page's worker. */
export async function runInWorker<K extends Name>(page: Page, name: K, ...args: Arguments<K>): Promise<Result<K>> {
  const asked: [string, unknown[]] = [name, args];
  return (await page.evaluate(([program, given]) => inWorker(program, given), asked)) as Result<K>;
}

export const places = { 'a page': run, 'a worker': runInWorker };

/** Losses as far as they have to agree. */
export const digits = (losses: readonly number[]): string[] => losses.map((loss) => loss.toFixed(5));

const exec = promisify(execFile);

/** Runs one of the programs in Node, with the package that strangers get. */
export async function runInNode<K extends Name>(
  backend: 'native' | 'wasm',
  name: K,
  ...args: Arguments<K>
): Promise<Result<K>> {
  return JSON.parse(await nodeOutput(backend, ['program/node.js', name, ...args.map((arg) => JSON.stringify(arg))]));
}

export async function nodeOutput(backend: 'native' | 'wasm', command: string[]): Promise<string> {
  const { TYPETORCH_NATIVE: _, ...rest } = process.env;
  const env = backend === 'wasm' ? { ...rest, TYPETORCH_NATIVE: '0' } : rest;
  return (await exec(process.execPath, command, { cwd: inject('stranger'), env, maxBuffer: 2 ** 26 })).stdout;
}
