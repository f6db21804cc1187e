/** Colours a few kinds of words in short code samples; enough for TypeScript and Python. */

const KEYWORDS = 'import|from|export|class|extends|const|let|return|for|of|in|await|async|new|if|else|def|while';
const PATTERN = new RegExp(
  [
    `(?<comment>(?://|#).*)`,
    `(?<string>'[^']*'|"[^"]*"|\`[^\`]*\`)`,
    `(?<keyword>\\b(?:${KEYWORDS})\\b)`,
    `(?<call>\\b[A-Za-z_]\\w*(?=\\())`,
    `(?<number>\\b\\d[\\d_.]*\\b)`,
  ].join('|'),
  'g',
);

export function highlight(code: HTMLElement): void {
  const text = code.textContent ?? '';
  const parts: (Node | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(PATTERN)) {
    const kind = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined)?.[0];
    const span = document.createElement('span');
    span.className = `tok-${kind}`;
    span.textContent = match[0];
    parts.push(text.slice(end, match.index), span);
    end = match.index + match[0].length;
  }
  code.replaceChildren(...parts, text.slice(end));
}
