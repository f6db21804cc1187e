import * as torch from 'typetorch';
import { type Digits, loadDigits, type Part } from './data.js';
import type { Command, Report, Settings } from './messages.js';
import { Training } from './training.js';

const scope = globalThis as unknown as {
  postMessage(report: Report): void;
  onmessage: ((event: { data: Command }) => void) | null;
};
const tell = (report: Report) => scope.postMessage(report);

/** Images of each part that the page gets to show. */
const SHOWN = 100;

let digits: Digits | undefined;
let training: Training | undefined;

function fail(error: unknown): void {
  tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}

/** Evenly spread over the part. */
function someSamples(part: Part) {
  return Array.from({ length: SHOWN }, (_, i) => part.sample(Math.floor((i * part.length) / SHOWN)));
}

async function load(url: string, settings: Settings): Promise<void> {
  digits = await loadDigits(url, (fraction) => tell({ type: 'loading', fraction }));
  const { train, test } = digits;
  const { parameters } = begin(0, settings);
  const facts = {
    backend: torch.backendName(),
    threads: torch.getNumThreads(),
    parameters,
    trainImages: train.length,
    testImages: test.length,
  };
  tell({ type: 'ready', facts, train: someSamples(train), test: someSamples(test) });
  tellFresh();
}

function begin(run: number, settings: Settings): Training {
  if (digits === undefined) throw new Error('The images are not loaded yet.');
  const old = training;
  old?.stop();
  training = new Training(run, settings, digits, tell);
  training.adopt(old);
  return training;
}

function tellFresh(): void {
  if (training === undefined) return;
  const { score } = training.examine();
  tell({ type: 'fresh', run: training.run, test: score, memory: torch.memory().reserved, guess: training.guess() });
}

async function obey(command: Command): Promise<void> {
  switch (command.type) {
    case 'load':
      return load(command.url, command.settings);
    case 'reset':
      begin(command.run, command.settings);
      return tellFresh();
    case 'train':
      return training?.train(command.epochs);
    case 'pause':
      return training?.pause();
    case 'resume':
      return training?.resume();
    case 'learningRate':
      return training?.setLearningRate(command.lr);
    case 'watch': {
      training?.watch(command.id, command.pixels);
      const guess = training?.guess();
      if (guess !== undefined) tell({ type: 'guess', guess });
    }
  }
}

scope.onmessage = ({ data }) => {
  obey(data).catch(fail);
};
