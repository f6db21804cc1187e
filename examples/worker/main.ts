import type { Command, Progress } from './messages.js';

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const tell = (command: Command) => worker.postMessage(command);

const element = (id: string) => document.getElementById(id) as HTMLElement;
const bar = element('progress') as HTMLProgressElement;
const pause = element('pause') as HTMLButtonElement;

worker.onmessage = ({ data }: MessageEvent<Progress>) => {
  bar.value = data.step;
  element('status').textContent = `step ${data.step} of ${data.steps}: loss ${data.loss.toFixed(6)}`;
  pause.disabled = data.done;
};
worker.onerror = (event) => {
  element('status').textContent = event.message;
};

pause.onclick = () => {
  const pausing = pause.textContent === 'Pause';
  tell(pausing ? 'pause' : 'resume');
  pause.textContent = pausing ? 'Resume' : 'Pause';
};
