// Turns results into text: lines while running, and the sections of RESULTS.md.
import { titles } from './programs.mjs';
import { details } from './workloads.mjs';

/** Microseconds with three significant digits. */
export function show(us) {
  const [value, unit] = us >= 1e6 ? [us / 1e6, 's'] : us >= 1e3 ? [us / 1e3, 'ms'] : [us, 'µs'];
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

const hasTime = (result) => result?.median !== undefined;

/** Half the distance between the quickest and the slowest round, in per cent of the median. */
const spread = ({ median, min, max }) => Math.round(((max - min) / 2 / median) * 100);

function cell(result) {
  if (result === undefined) return '–';
  if (!hasTime(result)) return result.missing === undefined ? 'failed' : 'missing';
  const time =
    result.rounds === 1 ? `${show(result.median)}, one call` : `${show(result.median)} ± ${spread(result)} %`;
  return result.threads === undefined ? time : `${time} (${result.threads})`;
}

const ratioOf = (row, [own, peer]) =>
  hasTime(row.results[own]) && hasTime(row.results[peer])
    ? row.results[own].median / row.results[peer].median
    : undefined;

const showRatio = (ratio) => (ratio === undefined ? '–' : ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2));

/** Which of ours is compared with which peer: native code with native code, WebAssembly with all. */
function pairsOf({ columns }) {
  const pairs = [
    ['native', 'pytorch'],
    ['wasm', 'pytorch'],
    ['wasm', 'tfjs'],
    ['wasm', 'jax-js'],
  ];
  return pairs.filter((pair) => pair.every((column) => columns.includes(column)));
}

const showPair = ([own, peer]) => `${titles[own]} / ${titles[peer]}`;

const why = ({ missing, failed }) => (missing === undefined ? `failed: ${failed}` : `missing: ${missing}`);

/** One line for the terminal. */
export function line(report, row) {
  const times = report.columns.map((column) => {
    const result = row.results[column];
    const text = hasTime(result) ? show(result.median) : why(result).slice(0, 40);
    return `${titles[column]} ${text.padStart(8)}`;
  });
  const ratios = pairsOf(report)
    .map((pair) => [pair, ratioOf(row, pair)])
    .filter(([, ratio]) => ratio !== undefined)
    .map(([pair, ratio]) => `${showPair(pair)} ${showRatio(ratio)}`);
  return [row.name.padEnd(38), ...times, ...ratios].join('  ');
}

function table(report) {
  const pairs = pairsOf(report);
  const heads = [
    'Workload',
    ...report.columns.map((column) => (column === 'pytorch' ? 'PyTorch (threads)' : titles[column])),
    ...pairs.map(showPair),
  ];
  const rows = report.rows.map((row) => [
    row.name,
    ...report.columns.map((column) => cell(row.results[column])),
    ...pairs.map((pair) => showRatio(ratioOf(row, pair))),
  ]);
  return [heads, heads.map((_, i) => (i === 0 ? '---' : '--:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

/** Why there is no time, the same reason said once. */
function gaps(report) {
  const lines = [];
  for (const column of report.columns) {
    const workloadsOf = new Map();
    for (const { name, results } of report.rows) {
      const { missing, failed } = results[column];
      if (missing === undefined && failed === undefined) continue;
      const reason = why({ missing, failed });
      workloadsOf.set(reason, [...(workloadsOf.get(reason) ?? []), name]);
    }
    for (const [reason, names] of workloadsOf) lines.push(`- ${titles[column]}, ${reason} (${names.join('; ')})`);
  }
  return lines.length === 0 ? [] : ['', 'Not measured:', '', ...lines];
}

/** Where a peer is faster. */
function reading(report) {
  const lines = pairsOf(report).map((pair) => {
    const ratios = report.rows
      .map((row) => ({ name: row.name, ratio: ratioOf(row, pair) }))
      .filter(({ ratio }) => ratio !== undefined);
    const slower = ratios.filter(({ ratio }) => ratio >= 1.005).sort((a, b) => b.ratio - a.ratio);
    const list = slower.map(({ name, ratio }) => `${name} ${showRatio(ratio)}`).join('; ');
    const count = slower.length === 0 ? 'none' : String(slower.length);
    return `- ${showPair(pair)}: ${count} of ${ratios.length}${list === '' ? '' : ` (${list})`}`;
  });
  return lines.length === 0 ? [] : ['', 'Where TypeTorch is slower than the peer:', '', ...lines];
}

const threads = (count) => `${count} thread${count === 1 ? '' : 's'}`;

function about({ columns, programs }) {
  return columns.map((column) => {
    const all = programs.filter((program) => program.column === column).map((program) => program.about);
    if (column === 'pytorch') {
      const counts = all.map((one) => one.threads).join(' and ');
      return `- PyTorch ${all[0].version} at ${counts} threads; its better median counts`;
    }
    const name = column === 'native' || column === 'wasm' ? 'TypeTorch' : titles[column];
    return `- ${name} ${all[0].version}: ${all[0].backend}, ${threads(all[0].threads)}`;
  });
}

function section(report) {
  return [
    `## ${report.environment}`,
    '',
    `Written by \`${report.command}\` on ${report.date}.`,
    '',
    `- Machine: ${report.machine}`,
    ...about(report),
    '',
    ...table(report),
    ...reading(report),
    ...gaps(report),
    '',
  ].join('\n');
}

function head(plan) {
  return `# Measured speed

Ratios are TypeTorch's time over the peer's, on the same machine in the same run: below 1, TypeTorch is faster.
\`npm run bench:setup\` installs the peers, \`npm run bench\` measures in Node, \`npm run bench -- --browser\` in Chromium.

Medians of ${plan.rounds} rounds of about ${plan.round} ms after a warm-up of ${plan.warmUp / 1000} s; ± is half the distance between the
quickest and the slowest round. Each workload runs in one program after the other, with a pause in between, each program
in a process or page of its own. Calls over ${plan.slow} ms get ${plan.slowRounds} rounds, calls over ${plan.once / 1000} s two, a first call over ${plan.firstCounts / 1000} s counts
alone. Results are computed when a call returns; memory is freed within the times.

${details.map((text) => `- ${text}`).join('\n')}
`;
}

/** The text of RESULTS.md with this report's section in place of the old one; the other section stays. */
export function withReport(old, report, plan) {
  const sections = new Map(old.split(/^(?=## )/m).map((text) => [/^## (.*)/.exec(text)?.[1], `${text.trimEnd()}\n`]));
  sections.set(report.environment, section(report));
  const texts = ['Node', 'Chromium'].map((name) => sections.get(name)).filter((text) => text !== undefined);
  return [head(plan), ...texts].join('\n');
}
