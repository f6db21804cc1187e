import { call } from './programs.js';

const [name, ...args] = process.argv.slice(2);
console.log(
  JSON.stringify(
    await call(
      name,
      args.map((arg) => JSON.parse(arg)),
    ),
  ),
);
