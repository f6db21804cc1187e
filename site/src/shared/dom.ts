/** The element with an id, checked to be of a kind. */
export function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`The page has no ${kind.name} '${id}'.`);
  return element;
}

/** Sets the text of the element with an id, and gives what it was before. */
export function setText(id: string, text: string): string {
  const element = find(id, HTMLElement);
  const before = element.textContent ?? '';
  if (before !== text) element.textContent = text;
  return before;
}

/** The value of a custom property of the theme in use. */
export const themeColor = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
export const formatWhole = (value: number): string => whole.format(value);
export const formatLoss = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : String(value));
export const formatPercent = (fraction: number): string => `${(100 * fraction).toFixed(1)}%`;

/** Lets the keyboard scroll what does not fit, and is no stop on the way where it does. */
export function reachWhenScrolling(element: HTMLElement): void {
  new ResizeObserver(() => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element;
    if (scrollWidth > clientWidth || scrollHeight > clientHeight) element.tabIndex = 0;
    else element.removeAttribute('tabindex');
  }).observe(element);
}
