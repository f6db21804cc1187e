// Drives the built page as a visitor would, wide with threads and narrow without: node site/check.mjs [--screenshots DIR]
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const root = import.meta.dirname;
const dist = join(root, 'dist');
const { values } = parseArgs({ options: { screenshots: { type: 'string' } } });
const pictures = values.screenshots;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

const MINUTE = 60_000;
/** As much as a slab of tensor memory or two: more means that memory grows with time. */
const MOST_GROWTH_MIB = 64;

/** A host that knows nothing of the page: no headers, and a folder of its own. */
async function plainHost() {
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
  const folder = '/some/where/';
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    const file = join(dist, path === folder ? 'index.html' : path.slice(folder.length));
    if (!path.startsWith(folder) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}${folder}`, close: () => server.close() };
}

async function isolatedHost() {
  const server = await preview({
    root,
    configFile: join(root, 'vite.config.mjs'),
    preview: { port: 0 },
    logLevel: 'warn',
  });
  return { url: server.resolvedUrls.local[0], close: () => server.close() };
}

/** The page with what a visitor can do to it and see of it. */
class Visit {
  problems = [];

  constructor(page, name, host) {
    this.page = page;
    this.name = name;
    page.on('console', (message) => this.problems.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.problems.push(`error: ${error.message}`));
    page.on('requestfailed', (request) => this.problems.push(`failed: ${request.url()}`));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== host) this.problems.push(`another host: ${request.url()}`);
    });
  }

  text(id) {
    return this.page.locator(`#${id}`).textContent();
  }

  async number(id) {
    return Number.parseFloat((await this.text(id)).replaceAll(',', ''));
  }

  async memory() {
    return Number(/(\d+) MiB/.exec(await this.text('facts'))[1]);
  }

  state(state, timeout = 2 * MINUTE) {
    return this.page.waitForFunction((wanted) => document.body.dataset.state === wanted, state, { timeout });
  }

  /** Waits until a number of the page has reached a value. */
  reaches(id, value) {
    return this.page.waitForFunction(
      ([id, value]) => Number.parseFloat(document.getElementById(id).textContent.replaceAll(',', '')) >= value,
      [id, value],
      { timeout: 2 * MINUTE },
    );
  }

  choose(name, value) {
    return this.page.locator(`[name=${name}]`).selectOption(value);
  }

  /** Strokes in units of the drawing area. */
  async draw(strokes) {
    const { page } = this;
    const pad = page.locator('#pad-canvas');
    await pad.scrollIntoViewIfNeeded();
    const { x, y, width, height } = await pad.boundingBox();
    const move = ([px, py], steps) => page.mouse.move(x + px * width, y + py * height, { steps });
    for (const [first, ...rest] of strokes) {
      await move(first, 1);
      await page.mouse.down();
      for (const point of rest) await move(point, 5);
      await page.mouse.up();
    }
    await this.guessed();
  }

  guessed() {
    return this.page.waitForFunction(() => document.getElementById('certainty').textContent !== '');
  }

  /** The bars' values, checked to be probabilities. Read in one go with the answer: guesses may follow each other. */
  async probabilities() {
    const { values, answer } = await this.page.evaluate(() => ({
      values: Array.from(document.querySelectorAll('#bars li'), (item) => Number(item.dataset.probability)),
      answer: document.getElementById('answer').textContent,
    }));
    assert.equal(values.length, 10);
    const sum = values.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 1) < 1e-4, `probabilities sum to ${sum}`);
    assert.equal(answer, String(values.indexOf(Math.max(...values))));
    return values;
  }

  /** No width between phone and desktop makes the page scroll sideways. */
  async fits() {
    const { page } = this;
    const size = page.viewportSize();
    for (const width of [320, 390, 599, 768, 1080, 1100, 1440, size.width]) {
      await page.setViewportSize({ width, height: size.height });
      // Charts take their new size a frame later.
      const fits = page.waitForFunction(
        () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
        undefined,
        { timeout: 3000 },
      );
      await fits.catch(() => assert.fail(`the page scrolls sideways in a window of ${width} px`));
    }
  }

  async picture(name) {
    if (pictures === undefined) return;
    mkdirSync(pictures, { recursive: true });
    await this.page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
    await this.page.waitForTimeout(200);
    await this.page.screenshot({ path: join(pictures, `${this.name}-${name}.png`), fullPage: true });
  }
}

const ONE = [
  [
    [0.52, 0.16],
    [0.5, 0.84],
  ],
];
const ZERO = [
  [
    [0.5, 0.16],
    [0.3, 0.3],
    [0.26, 0.5],
    [0.3, 0.7],
    [0.5, 0.84],
    [0.7, 0.7],
    [0.74, 0.5],
    [0.7, 0.3],
    [0.5, 0.16],
  ],
];

async function visit(browser, { url, close }, { isolated, ...options }) {
  const name = `${options.viewport.width}-${options.colorScheme}`;
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const v = new Visit(page, name, new URL(url).origin);

  await page.goto(url);
  await v.state('fresh');
  assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
  const threads = isolated ? await page.evaluate(() => Math.min(16, navigator.hardwareConcurrency)) : 1;
  assert.match(await v.text('facts'), new RegExp(`wasm .*\\b${threads} thread`, 's'));
  assert.match(await v.text('facts'), /101,770 parameters/);
  await v.fits();
  await v.picture('fresh');

  const untrained = { accuracy: await v.number('test-accuracy'), loss: await v.number('loss-test') };
  await v.draw(ZERO);
  await v.probabilities();
  assert.match(await v.text('draw-note'), /untrained/i);

  // By keyboard.
  await v.choose('epochs', '5');
  await page.locator('#main-button').focus();
  await page.keyboard.press('Enter');
  await v.state('running');
  await v.reaches('epoch', 2);
  await v.picture('training');
  await page.keyboard.press('Enter');
  await v.state('paused');
  await page.waitForTimeout(300);
  const step = await v.number('step');
  await page.waitForTimeout(700);
  assert.equal(await v.number('step'), step, 'training goes on in a pause');
  await page.locator('#clear').click();
  await v.draw(ONE);
  await v.probabilities();
  await page.locator('#main-button').click();
  await v.state('finished');
  assert.ok((await v.number('step')) > step);
  const trained = { accuracy: await v.number('test-accuracy'), loss: await v.number('loss-test') };
  assert.ok(trained.loss < untrained.loss / 3, `test loss ${untrained.loss} -> ${trained.loss}`);
  assert.ok(trained.accuracy > 80 && untrained.accuracy < 30, `accuracy ${untrained.accuracy} -> ${trained.accuracy}`);
  assert.equal(await v.text('answer'), '1', 'a vertical line is read as a 1');

  const tiles = page.locator('#mistakes button');
  assert.equal(await tiles.count(), 12);
  await tiles.first().focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.getElementById('draw-note').textContent.includes('misreads'));
  await v.probabilities();
  await page.locator('#any-test').click();
  await page.locator('#clear').click();
  // The pad is drawn with the next frame.
  await page.waitForFunction(() => document.getElementById('answer').textContent === '–');
  await v.draw(ZERO);
  await v.probabilities();
  assert.equal(await v.text('answer'), '0', 'a ring is read as a 0');
  const [firstEpoch] = (await page.locator('#epoch-rows tr').allTextContents()).slice(-1);

  // For longer: memory stays, the curves go on.
  const memory = await v.memory();
  await v.choose('epochs', '20');
  await page.locator('#main-button').click();
  await v.reaches('epoch', 12);
  await v.picture('drawn');
  await v.state('finished', 4 * MINUTE);
  assert.equal(await v.text('epoch'), '25 / 25');
  const growth = (await v.memory()) - memory;
  assert.ok(growth <= MOST_GROWTH_MIB, `memory grew by ${growth} MiB in 20 epochs`);
  const speed = await v.number('speed');
  assert.ok((await v.number('test-accuracy')) > trained.accuracy);
  await page.locator('.epochs summary').click();
  await v.fits();
  await v.picture('finished');

  // Again from the same seed: the same numbers.
  const end = `${await v.text('test-accuracy')} after 25 epochs, ${speed} samples/s`;
  await page.locator('#reset').click();
  await v.state('fresh');
  assert.equal(await v.text('step'), '–');
  assert.equal(await v.number('test-accuracy'), untrained.accuracy);
  await v.choose('epochs', '1');
  await page.locator('#main-button').click();
  await v.state('finished');
  assert.equal((await page.locator('#epoch-rows tr').allTextContents()).join(), firstEpoch);

  // A reset while training runs, then another optimizer.
  await page.locator('#main-button').click();
  await page.locator('#reset').click();
  await v.state('fresh');
  await v.choose('optimizer', 'Adam');
  assert.equal(await page.locator('[name=lr]').inputValue(), '0.001');
  await page.locator('#main-button').click();
  await v.state('finished');
  assert.equal(await v.text('epoch'), '1 / 1');
  assert.ok((await v.number('test-accuracy')) > 80);

  assert.deepEqual(v.problems, []);
  console.log(`${name}, ${threads} thread${threads === 1 ? '' : 's'}: ${end}, ${await v.memory()} MiB of tensors`);
  await context.close();
  await close();
}

if (!existsSync(join(dist, 'index.html'))) throw new Error('There is no built page: run npm run site:build first.');
const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS.split(' ') });
try {
  const wide = { viewport: { width: 1440, height: 900 }, colorScheme: 'light' };
  const narrow = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', deviceScaleFactor: 2, hasTouch: true };
  await visit(browser, await isolatedHost(), { ...wide, isolated: true });
  await visit(browser, await plainHost(), { ...narrow, isolated: false, reducedMotion: 'reduce' });
} finally {
  await browser.close();
}
