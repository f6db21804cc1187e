import uPlot from 'uplot';
import { formatWhole, themeColor } from '../shared/dom.js';

/** Canvas has no custom properties: the theme's colours are read when a chart is made, and again when the theme changes. */

export interface Curve {
  /** Name of the colour in the theme. */
  color: string;
  width: number;
  /** 0..1; default 1. */
  opacity?: number;
}

export interface ChartOptions {
  curves: Curve[];
  /** Limits of the y axis for the largest value in sight. */
  range: (max: number) => [number, number];
  format: (value: number) => string;
  /** Called with the row under the pointer, or null. */
  hover: (row: number | null) => void;
}

type Columns = [number[], ...(number | null)[][]];

const FONT = '12px system-ui, sans-serif';
const FEWEST_STEPS = 200;

/** A line chart over steps that follows the theme and the width of its place. */
export class Chart {
  private plot: uPlot | undefined;
  private data: Columns;

  constructor(
    private readonly place: HTMLElement,
    private readonly options: ChartOptions,
  ) {
    this.data = [[], ...options.curves.map(() => [])];
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.make());
    new ResizeObserver(() => this.fit()).observe(place);
    this.make();
  }

  show(data: Columns): void {
    this.data = data;
    this.plot?.setData(data);
  }

  private fit(): void {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (width > 0) this.plot?.setSize({ width, height });
  }

  private make(): void {
    this.plot?.destroy();
    const { curves, range, format, hover } = this.options;
    const line = themeColor('line');
    const axis: uPlot.Axis = {
      stroke: themeColor('muted'),
      font: FONT,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
    };
    this.plot = new uPlot(
      {
        width: this.place.clientWidth || 300,
        height: this.place.clientHeight,
        padding: [8, 20, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: 'mnist' }, drag: { x: false, y: false }, y: false, points: { size: 7 } },
        scales: {
          x: { time: false, range: (_, __, max) => [0, Math.max(FEWEST_STEPS, max ?? 0)] },
          y: { range: (_, __, max) => range(max ?? 0) },
        },
        axes: [
          { ...axis, size: 28, gap: 6, space: 70, values: (_, splits) => splits.map(formatWhole) },
          { ...axis, size: 46, gap: 6, space: 30, values: (_, splits) => splits.map(format) },
        ],
        series: [
          {},
          ...curves.map(({ color, width, opacity = 1 }) => ({
            stroke: themeColor(color),
            alpha: opacity,
            width,
            spanGaps: true,
            points: { show: false },
          })),
        ],
        hooks: { setCursor: [({ cursor }) => hover(cursor.idx ?? null)] },
      },
      this.data,
      this.place,
    );
  }
}
