import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** What an epoch gave. */
export interface EpochResult {
  epoch: number;
  trainLoss: number;
  trainAcc: number;
  valLoss: number;
  valAcc: number;
}

const FONT = 'DejaVu Sans, Verdana, Arial, sans-serif';
const colors = { domain: ['Train', 'Validation'], range: ['#1f77b4', '#d95f02'] };
const legend = { title: null, orient: 'top', symbolType: 'stroke' };

function panel(title: string, unit: string, values: { epoch: number; set: string; value: number }[]): object {
  const epochs = values.map(({ epoch }) => epoch);
  return {
    title,
    width: 380,
    height: 280,
    data: { values },
    mark: { type: 'line', point: { size: 50, filled: true }, strokeWidth: 2 },
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative',
        title: 'Epoch',
        scale: { domain: [1, Math.max(2, ...epochs)], nice: false, padding: 12 },
        axis: { values: [...new Set(epochs)], format: 'd', labelOverlap: true, grid: false },
      },
      y: { field: 'value', type: 'quantitative', title: unit, scale: { zero: false, padding: 12 } },
      color: { field: 'set', type: 'nominal', scale: colors, legend },
      strokeDash: {
        field: 'set',
        type: 'nominal',
        scale: {
          ...colors,
          range: [
            [1, 0],
            [6, 4],
          ],
        },
        legend,
      },
    },
  };
}

function specOf(history: readonly EpochResult[]): TopLevelSpec {
  const both = (train: keyof EpochResult, val: keyof EpochResult) =>
    history.flatMap((h) => [
      { epoch: h.epoch, set: 'Train', value: h[train] },
      { epoch: h.epoch, set: 'Validation', value: h[val] },
    ]);
  return {
    background: 'white',
    padding: 16,
    spacing: 40,
    hconcat: [
      panel('Loss', 'Cross entropy', both('trainLoss', 'valLoss')),
      panel('Accuracy', 'Correct (%)', both('trainAcc', 'valAcc')),
    ],
    config: {
      font: FONT,
      title: { fontSize: 16, anchor: 'middle' },
      axis: { labelFontSize: 12, titleFontSize: 13, titlePadding: 10, gridColor: '#e6e6e6' },
      legend: { labelFontSize: 12, symbolSize: 300 },
      view: { stroke: '#bbb' },
    },
  } as TopLevelSpec;
}

/** Renders an SVG as PNG; undefined where the renderer has no binary for this machine. */
async function toPng(svg: string): Promise<Uint8Array | undefined> {
  try {
    const { Resvg } = await import('@resvg/resvg-js');
    const font = { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' };
    return new Resvg(svg, { fitTo: { mode: 'zoom', value: 2 }, font }).render().asPng();
  } catch {
    return undefined;
  }
}

/** Draws loss and accuracy against epochs into a PNG (an SVG where PNG cannot be made) and returns its path. */
export async function drawCurves(history: readonly EpochResult[], file: string): Promise<string> {
  const view = new View(parse(compile(specOf(history)).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  const png = file.endsWith('.svg') ? undefined : await toPng(svg);
  const path = resolve(png === undefined ? file.replace(/\.png$/, '.svg') : file);
  await writeFile(path, png ?? svg);
  return path;
}
