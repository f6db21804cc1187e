import { getNumThreads, setNumThreads } from 'typetorch';
import { threadsJoined } from './instances.js';
import { awaitedLoader, awaitedReads, largeResults, outrun, timeouts } from './memory.js';
import { losses } from './mlp.js';
import { firstBatch } from './mnist-files.js';
import { sameOnThreads } from './threads.js';

/** What tests call in a page, in a worker and in Node. */
export const programs = {
  awaitedLoader,
  awaitedReads,
  firstBatch,
  getNumThreads,
  largeResults,
  losses,
  outrun,
  sameOnThreads,
  setNumThreads,
  threadsJoined,
  timeouts,
};

export type Programs = typeof programs;
export type Name = keyof Programs;
export type Arguments<K extends Name> = Parameters<Programs[K]>;
export type Result<K extends Name> = Awaited<ReturnType<Programs[K]>>;

/** One of them by name, as messages and command lines ask for it. */
export async function call(name: string, args: readonly unknown[]): Promise<unknown> {
  return (programs[name as Name] as (...args: readonly unknown[]) => unknown)(...args);
}
