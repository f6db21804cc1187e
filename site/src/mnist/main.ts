import 'uplot/dist/uPlot.min.css';
import digitsUrl from '../../build/digits.bin?url';
import { find, formatLoss, formatPercent, formatWhole, reachWhenScrolling, setText } from '../shared/dom.js';
import { highlight } from '../shared/highlight.js';
import { Curves } from './curves.js';
import { Drawing } from './drawing.js';
import { placeholder, thumbnail } from './image.js';
import {
  type Command,
  type EpochEnd,
  type Facts,
  MISTAKES_SHOWN,
  type OptimizerName,
  type Progress,
  type Report,
  type Sample,
  type Score,
  type Settings,
} from './messages.js';

type State = 'loading' | 'resetting' | 'fresh' | 'running' | 'paused' | 'finished' | 'failed';

/** Mistakes change with each epoch, which may take a fraction of a second; this many milliseconds they stand at least. */
const MISTAKES_STAND = 1200;
const SAMPLES_SHOWN = 24;
/** PyTorch's default for Adam, and a usual start for SGD. */
const USUAL_RATE: Record<OptimizerName, string> = { SGD: '0.01', Adam: '0.001' };

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const tell = (command: Command) => worker.postMessage(command);
const announce = (text: string) => setText('announcer', text);

const mainButton = find('main-button', HTMLButtonElement);
const resetButton = find('reset', HTMLButtonElement);
const form = find('settings', HTMLFormElement);
const curves = new Curves();
const drawing = new Drawing((id, pixels) => tell({ type: 'watch', id, pixels }), announce);

let state: State = 'loading';
let run = 0;
let step = 0;
let wantedEpochs = 0;
let stepsPerEpoch = 0;
let facts: Facts | undefined;
let focusWhenFresh = false;
let mistakesShown = Number.NEGATIVE_INFINITY;

function field(name: string): HTMLSelectElement | HTMLInputElement {
  return form.elements.namedItem(name) as HTMLSelectElement | HTMLInputElement;
}

function settings(): Settings {
  const number = (name: string) => Number(field(name).value);
  return {
    optimizer: field('optimizer').value as OptimizerName,
    lr: number('lr'),
    batchSize: number('batchSize'),
    seed: number('seed'),
  };
}

function lock(name: string, locked: boolean): void {
  field(name).disabled = locked;
  field(name).title = locked && state !== 'failed' ? 'Reset to change' : '';
}

function enter(next: State): void {
  state = next;
  const labels: Record<State, string> = {
    loading: 'Loading…',
    resetting: 'Train',
    fresh: 'Train',
    running: 'Pause',
    paused: 'Resume',
    finished: `Train ${field('epochs').value} more`,
    failed: 'Train',
  };
  mainButton.textContent = labels[state];
  mainButton.disabled = ['loading', 'resetting', 'failed'].includes(state);
  resetButton.disabled = !['running', 'paused', 'finished'].includes(state);
  const untrained = ['loading', 'resetting', 'fresh'].includes(state);
  find('plot-hint', HTMLElement).hidden = !untrained;
  // A network keeps its optimizer, batches and seed; the rate may change between any two steps.
  for (const name of ['optimizer', 'batchSize', 'seed']) lock(name, !untrained);
  lock('epochs', state === 'running' || state === 'paused' || state === 'failed');
  lock('lr', state === 'failed');
  document.body.dataset.state = state;
}

mainButton.addEventListener('click', () => {
  if (state === 'running') {
    tell({ type: 'pause' });
    enter('paused');
    announce(`Paused after ${formatWhole(step)} steps`);
  } else if (state === 'paused') {
    tell({ type: 'resume' });
    enter('running');
    announce('Training goes on');
  } else {
    const epochs = Number(field('epochs').value);
    wantedEpochs += epochs;
    stepsPerEpoch = Math.ceil((facts?.trainImages ?? 0) / settings().batchSize);
    tell({ type: 'train', epochs });
    enter('running');
    announce('Training');
  }
});

/** Training begins again only with the new network, which the worker makes first. */
function reset(): void {
  if (!form.checkValidity()) return;
  run++;
  enter('resetting');
  tell({ type: 'reset', run, settings: settings() });
}

resetButton.addEventListener('click', () => {
  reset();
  // This button goes to sleep under the finger; the other one wakes up with the new network.
  focusWhenFresh = true;
  announce('Reset to an untrained network');
});

form.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('change', ({ target }) => {
  const { name } = target as HTMLSelectElement;
  if (name === 'optimizer') field('lr').value = USUAL_RATE[settings().optimizer];
  if (name === 'epochs') enter(state);
  else if (state === 'fresh' || state === 'resetting') reset();
  else if (name === 'lr') tell({ type: 'learningRate', lr: settings().lr });
});

function showFacts(memory: number): void {
  if (facts === undefined) return;
  const { backend, threads, parameters, trainImages, testImages } = facts;
  const parts = [
    `Runs on WebAssembly (${backend})`,
    threads > 1
      ? `${threads} threads`
      : `1 thread${crossOriginIsolated ? '' : ' (the host sends no isolation headers)'}`,
    `${formatWhole(parameters)} parameters`,
    `${formatWhole(trainImages)} training and ${formatWhole(testImages)} test images`,
    `${Math.round(memory / 2 ** 20)} MiB of tensors`,
  ];
  const list = find('facts', HTMLElement);
  if (list.childElementCount !== parts.length) list.replaceChildren(...parts.map(() => document.createElement('span')));
  parts.forEach((text, i) => {
    if (list.children[i].textContent !== text) list.children[i].textContent = text;
  });
}

function showProgress(fraction: number): void {
  find('progress', HTMLElement).style.transform = `scaleX(${fraction})`;
}

function showSamples(samples: Sample[]): void {
  find('samples', HTMLElement).replaceChildren(
    ...samples.slice(0, SAMPLES_SHOWN).map((sample) => {
      const name = `Training image of a ${sample.label}. Show it in the drawing area`;
      return thumbnail(sample.pixels, [String(sample.label)], name, () => showInPad(sample));
    }),
  );
}

function showInPad(sample: Sample): void {
  drawing.show(sample);
  find('draw', HTMLElement).scrollIntoView({ block: 'nearest' });
}

function showMistakes({ wrong, mistakes, epoch }: EpochEnd): void {
  mistakesShown = performance.now();
  setText(
    'mistakes-note',
    `${formatWhole(wrong)} of ${formatWhole(facts?.testImages ?? 0)} after epoch ${epoch}; surest first, label\u00a0→\u00a0guess`,
  );
  const list = find('mistakes', HTMLElement);
  const focused = [...list.children].findIndex((item) => item.contains(document.activeElement));
  list.replaceChildren(
    ...mistakes.map((mistake) => {
      const { label, guess, confidence } = mistake;
      const read = document.createElement('b');
      read.textContent = String(guess);
      const name = `${label} → ${guess}, ${Math.round(100 * confidence)}% sure. Show this test image in the drawing area`;
      return thumbnail(mistake.pixels, [`${label} → `, read], name, () => showInPad(mistake));
    }),
  );
  list.children[focused]?.querySelector('button')?.focus({ preventScroll: true });
}

function showNoMistakes(): void {
  mistakesShown = Number.NEGATIVE_INFINITY;
  setText('mistakes-note', 'Test images that it misreads appear after the first epoch');
  find('mistakes', HTMLElement).replaceChildren(...Array.from({ length: MISTAKES_SHOWN }, placeholder));
}

function showEpochRow({ epoch, train, test }: EpochEnd): void {
  const rows = find('epoch-rows', HTMLElement);
  if (epoch === 1) rows.replaceChildren();
  const row = document.createElement('tr');
  const scores = [train, test].flatMap(({ loss, accuracy }) => [formatLoss(loss), formatPercent(accuracy)]);
  for (const text of [String(epoch), ...scores])
    row.append(Object.assign(document.createElement('td'), { textContent: text }));
  rows.prepend(row);
}

function showFresh(test: Score): void {
  step = 0;
  wantedEpochs = 0;
  curves.reset(test);
  showProgress(0);
  for (const id of ['epoch', 'step', 'loss', 'speed']) setText(id, '–');
  setText('test-accuracy', formatPercent(test.accuracy));
  showNoMistakes();
  const none = Object.assign(document.createElement('td'), { colSpan: 5, textContent: 'None yet.' });
  const row = document.createElement('tr');
  row.append(none);
  find('epoch-rows', HTMLElement).replaceChildren(row);
  enter('fresh');
  if (focusWhenFresh) mainButton.focus();
  focusWhenFresh = false;
}

function advance(progress: Progress): void {
  step = progress.step;
  curves.add(progress);
  setText('epoch', `${progress.epoch} / ${wantedEpochs}`);
  setText('step', formatWhole(step));
  setText('loss', formatLoss(curves.trainLoss ?? Number.NaN));
  if (progress.test !== undefined) setText('test-accuracy', formatPercent(progress.test.accuracy));
  setText('speed', formatWhole(Number(progress.samplesPerSecond.toPrecision(3))));
  showProgress(step / (wantedEpochs * stepsPerEpoch));
  showFacts(progress.memory);
  if (progress.guess !== undefined) drawing.showGuess(progress.guess, step);
}

function endEpoch(report: EpochEnd): void {
  showEpochRow(report);
  curves.describe(step);
  // Not while someone is about to choose one of them.
  const stands = performance.now() - mistakesShown < MISTAKES_STAND || find('mistakes', HTMLElement).matches(':hover');
  if (report.last || !stands) showMistakes(report);
  if (!report.last) return;
  enter('finished');
  announce(`Training finished: ${formatPercent(report.test.accuracy)} of the test images are read correctly`);
}

function fail(message: string): void {
  enter('failed');
  const notice = find('failure', HTMLElement);
  notice.textContent = `${message} Reload the page to try again.`;
  notice.hidden = false;
}

worker.onmessage = ({ data: report }: MessageEvent<Report>) => {
  // What an older network had still to say.
  if ('run' in report && report.run !== run) return;
  switch (report.type) {
    case 'loading':
      mainButton.textContent = `Loading ${Math.round(100 * report.fraction)}%`;
      break;
    case 'ready':
      facts = report.facts;
      setText('train-count', formatWhole(facts.trainImages));
      setText('parameter-count', formatWhole(facts.parameters));
      showSamples(report.train);
      drawing.offer(report.test);
      break;
    case 'fresh':
      showFresh(report.test);
      showFacts(report.memory);
      if (report.guess !== undefined) drawing.showGuess(report.guess, 0);
      break;
    case 'progress':
      advance(report);
      break;
    case 'epoch':
      endEpoch(report);
      break;
    case 'guess':
      drawing.showGuess(report.guess, step);
      break;
    case 'failed':
      fail(report.message);
  }
};
worker.onerror = (event) => fail(event.message || 'The worker could not start.');

for (const code of document.querySelectorAll<HTMLElement>('code[data-language]')) highlight(code);
for (const box of document.querySelectorAll<HTMLElement>('pre, .scroller')) reachWhenScrolling(box);
showNoMistakes();
enter('loading');
tell({ type: 'load', url: new URL(digitsUrl, location.href).href, settings: settings() });
