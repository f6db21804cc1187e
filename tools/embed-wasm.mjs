// Writes the WebAssembly kernels as text, so that any bundler carries them and they compile without waiting.
import { readFileSync, writeFileSync } from 'node:fs';

const built = new URL('../build/wasm/', import.meta.url);

// Printable ASCII that needs no escape in any kind of string literal, nor inside an HTML script element.
const alphabet = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter(
  (c) => !'"\'\\`$<'.includes(c),
);
/** The first characters of the alphabet announce a second one. */
const PREFIXES = 2;
const SINGLES = alphabet.length - PREFIXES;

/** The frequent bytes take one character and the others two; unlike base64 this keeps what gzip looks for. */
function encode(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const order = Array.from(counts.keys()).sort((a, b) => counts[b] - counts[a]);
  const codes = [];
  order.forEach((byte, rank) => {
    const rest = rank - SINGLES;
    codes[byte] =
      rest < 0
        ? alphabet[rank + PREFIXES]
        : alphabet[Math.floor(rest / alphabet.length)] + alphabet[rest % alphabet.length];
  });
  return { size: bytes.length, order, text: Array.from(bytes, (byte) => codes[byte]).join('') };
}

const decoder = `const alphabet = ${JSON.stringify(alphabet.join(''))};
function decode(size, order, text) {
  const ranks = new Uint8Array(128);
  for (let i = 0; i < alphabet.length; i++) ranks[alphabet.charCodeAt(i)] = i;
  const bytes = new Uint8Array(size);
  for (let i = 0, at = 0; i < size; i++) {
    let rank = ranks[text.charCodeAt(at++)] - ${PREFIXES};
    if (rank < 0) rank = ${SINGLES} + (rank + ${PREFIXES}) * alphabet.length + ranks[text.charCodeAt(at++)];
    bytes[i] = order[rank];
  }
  return bytes;
}
`;

const variants = ['relaxed', 'simd'].map((variant) => {
  const { size, order, text } = encode(readFileSync(new URL(`typetorch.${variant}.wasm`, built)));
  return `export const ${variant} = () => decode(${size}, [${order}], "${text}");\n`;
});
writeFileSync(new URL('embedded.js', built), `// Written by tools/embed-wasm.mjs.\n${decoder}${variants.join('')}`);
