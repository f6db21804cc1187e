// Installs the peers that npm run bench compares with, each in its own folder under bench/peers.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { peerFolder, versionIn } from './paths.mjs';
import { peerNames, titles, venvPython } from './programs.mjs';

const cpuIndex = 'https://download.pytorch.org/whl/cpu';

const usage = `npm run bench:setup [-- options]

  --peers A,B          these peers only: ${peerNames.join(', ')}
  --python PATH        the Python to make PyTorch's virtual environment with (default: python3)
  --torch-index URL    where pip looks besides its usual index (default: ${cpuIndex},
                       whose builds for Linux come without CUDA)
  --help

What is there already in the right version stays as it is.`;

/** Runs a command with its output on the terminal. */
function run(command, args, cwd) {
  console.log(`\nIn ${cwd}: ${args.join(' ')}`);
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (status !== 0) throw new Error(error?.message ?? `that ended with status ${status}`);
}

function setUpPackage(peer) {
  const folder = peerFolder(peer);
  const wanted = Object.entries(JSON.parse(readFileSync(`${folder}package.json`, 'utf8')).dependencies);
  if (wanted.every(([name, version]) => versionIn(peer, name) === version)) return 'was there already';
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  if (npm === undefined) run('npm', args, folder);
  else run(process.execPath, [npm, ...args], folder);
  return 'installed';
}

function torchVersion() {
  const { stdout } = spawnSync(venvPython(), ['-c', 'import numpy, torch; print(torch.__version__)'], {
    encoding: 'utf8',
  });
  return stdout?.trim();
}

function setUpPyTorch(options) {
  const folder = peerFolder('pytorch');
  const wanted = /torch==(\S+)/.exec(readFileSync(`${folder}requirements.txt`, 'utf8'))[1];
  // Builds add what they are for: 2.13.0+cpu.
  if (torchVersion()?.split('+')[0] === wanted) return 'was there already';
  if (!existsSync(venvPython())) run(options.python ?? 'python3', ['-m', 'venv', 'venv'], folder);
  const index = ['--extra-index-url', options['torch-index'] ?? cpuIndex];
  run(venvPython(), ['-m', 'pip', 'install', '--retries', '1', ...index, '-r', 'requirements.txt'], folder);
  return 'installed';
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      peers: { type: 'string', multiple: true },
      python: { type: 'string' },
      'torch-index': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const peers = values.peers?.flatMap((list) => list.split(',')) ?? peerNames;
  const unknown = peers.find((peer) => !peerNames.includes(peer));
  if (unknown !== undefined) throw new Error(`no peer "${unknown}"; there are ${peerNames.join(', ')}`);
  return { ...values, peers: peerNames.filter((peer) => peers.includes(peer)) };
}

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(`${error.message}\n\nnpm run bench:setup -- --help shows the options`);
  process.exit(2);
}
if (options.help) console.log(usage);
else {
  const results = [];
  for (const peer of options.peers) {
    try {
      results.push(`${titles[peer]}: ${peer === 'pytorch' ? setUpPyTorch(options) : setUpPackage(peer)}`);
    } catch (error) {
      results.push(`${titles[peer]}: failed, ${error.message}`);
      process.exitCode = 1;
    }
  }
  console.log(`\n${results.join('\n')}\n\nnpm run bench measures all that are installed.`);
}
