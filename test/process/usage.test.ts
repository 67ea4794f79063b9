/** Every command called wrongly: exit code 2, one sentence of one form that says what is wrong, nothing on standard output. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childProgram, runChild } from '../support/child';
import { temporaryFolder } from '../support/fixture-model';

interface Call {
  argv: string[];
  code: number;
  stdout: string;
  stderr: string;
}

async function runAll(calls: string[]): Promise<Call[]> {
  const input = JSON.stringify(calls.map((call) => call.split(' ').filter((word) => word !== '')));
  const { stdout, stderr } = await runChild([childProgram('usage.cjs')], { input, env: { ZERO_RL_LOG: undefined } });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Call[];
}

const folder = temporaryFolder();
const lines = join(folder, 'lines.jsonl');
const suite = join(folder, 'suite.yaml');
writeFileSync(lines, '{"id":1,"gold":"1","completion":"1"}\n');
writeFileSync(suite, 'data: arithmetic\n');
mkdirSync(join(folder, 'run'));
afterAll(() => rmSync(folder, { recursive: true }));
const missing = join(folder, 'nowhere', 'file');

const commands = [
  ...['train', 'eval', 'replay', 'pretrain', 'sample', 'logprobs', 'dashboard', 'verify', 'bench', 'bench kernels'],
  ...['profile', 'report', 'export', 'doctor', 'libtorch', 'libtorch install'],
];
/** What each command needs before its other arguments are looked at. */
const needed: Record<string, string> = {
  eval: `--model . --suite ${suite}`,
  replay: `${folder} --step 1`,
  pretrain: 'config.yaml',
  sample: `--model . --input ${lines}`,
  logprobs: `--model . --input ${lines}`,
  verify: `--input ${lines}`,
  report: folder,
  export: folder,
};
const engine = ['train', 'eval', 'pretrain', 'sample', 'logprobs', 'bench', 'bench kernels'];

const wrong: [call: string, said: RegExp][] = [
  ['nope', /^Unknown command 'nope'/],
  ['trian', /^Unknown command 'trian' \(did you mean train\?\)/],
  ['help nope', /^Unknown command 'nope'/],
  ...commands.map((name): [string, RegExp] => [
    `${name} ${needed[name] ?? ''} --no-such-option`,
    /^Unknown option '--no-such-option'/,
  ]),
  ...engine.flatMap((name): [string, RegExp][] => [
    [`${name} ${needed[name] ?? ''} --threads none`, /Expected an integer of at least 1/],
    [`${name} ${needed[name] ?? ''} --dtype float16`, /Expected float32 or bfloat16/],
    [`${name} ${needed[name] ?? ''} --device gpu`, /Expected auto, cpu, cuda or cuda:N/],
  ]),
  ...['eval', 'sample', 'logprobs', 'pretrain', 'bench kernels'].map((name): [string, RegExp] => [
    `${name} ${needed[name] ?? ''} --no-master-weights`,
    /^Unknown option '--no-master-weights'/,
  ]),
  ...['train', 'bench', 'doctor', 'libtorch'].map((name): [string, RegExp] => [
    `${name} ${name === 'train' ? 'a ' : ''}surplus`,
    /^(Too many arguments for|Unknown command 'surplus')/,
  ]),
  ['train', /^Give either a config file, or --resume RUN/],
  [`train ${suite} --resume ${folder}`, /^Give either a config file, or --resume RUN/],
  ['train recipes/demo.yaml --set steps', /Expected key=value/],
  ['train recipes/demo.yaml --set =3', /Expected key=value/],
  ['pretrain', /^Missing required argument 'config'/],
  ['pretrain config.yaml --set steps', /Expected key=value/],
  ['eval --model .', /--suite <file>' not specified/],
  [`eval --suite ${suite}`, /--model <model>' not specified/],
  [`eval --model . --suite ${suite} --output ${missing}`, /There is no folder/],
  [`replay ${folder}`, /--step <k>' not specified/],
  [`replay ${folder} --step first`, /Expected an integer of at least 1/],
  [`replay ${folder} --step 1 --sample -1`, /Expected an integer of at least 0/],
  [`replay ${folder} --step 1 --output ${missing}`, /There is no folder/],
  ['sample --model .', /--input <file>' not specified/],
  [`sample --model . --input ${lines} --n 0`, /Expected an integer of at least 1/],
  [`sample --model . --input ${lines} --top-p 2`, /Expected a number between 0 and 1/],
  [`sample --model . --input ${lines} --temperature hot`, /Expected a number of at least 0/],
  [`sample --model . --input ${lines} --json`, /give a file for --output/],
  [`logprobs --model . --input ${lines} --json`, /give a file for --output/],
  [`verify --input ${lines} --json`, /give a file for --output/],
  [`verify --input ${lines} --output ${lines}`, /would overwrite --input/],
  [`verify --input ${lines} --statement some`, /Allowed choices are any, boxed/],
  [
    `verify --input ${lines} --workers 100000`,
    /Expected integer between 1 and \d+, 16 for each processor here, for workers/,
  ],
  ['bench', /^--model is missing/],
  ['bench --model . --task all', /Allowed choices are sample, logprobs, step/],
  [
    'bench --model models/arithmetic-1m --threads 100000',
    /Expected integer between 1 and \d+, 16 for each processor here/,
  ],
  ['bench --model models/arithmetic-1m --no-master-weights', /masterWeights/],
  ['bench kernels --only nope', /^Expected part of one of the names packed_gemm, .*, squared_norm/],
  ['bench kernels --only softmax --dtype bfloat16', /^Expected float32, the one form of softmax, for dtype/],
  ['bench kernels --shape nope:m=1', /^Expected one of gemm, packed_gemm, /],
  ['bench kernels --shape gem:m=1', /^Expected one of gemm, packed_gemm, /],
  ['bench kernels --shape gemm:m=1,n=2', /^Expected k too for the sizes of gemm/],
  ['bench kernels --shape gemm:m=1,n=2,k=3,z=4', /^Expected one of m, n, k, .* for a size of gemm/],
  ['bench kernels --shape gemm:m=0,n=2,k=3', /^Expected integer of at least 1 for m of gemm/],
  ['bench kernels --shape gemm', /a kernel and its sizes such as gemm:m=32/],
  ['bench kernels --threads 100000', /Expected integer between 1 and \d+, 16 for each processor here/],
  ['bench kernels --model .', /^Unknown option '--model'/],
  [`bench kernels --csv ${missing}`, /There is no folder/],
  [`bench kernels --plot ${folder}`, /It is a folder/],
  ['profile', /^Name the command to profile/],
  ['profile -- profile', /^Name the command to profile/],
  ['profile --compare one', /^--compare takes two summaries/],
  ['profile -- nope', /^Unknown command 'nope'/],
  ['profile -- train', /^Give either a config file/],
  [`profile --output ${missing} -- train`, /There is no folder/],
  ['report', /^Missing required argument 'runs'/],
  [`report ${folder} --output ${missing}`, /There is no folder/],
  ['export', /^Missing required argument 'run'/],
  [`export ${folder}`, /^Name what to export/],
  [`export ${folder} --metrics ${missing}`, /There is no folder/],
  ['dashboard --port 70000', /^Expected integer between 0 and 65535 for port/],
  ['dashboard --port web', /Expected an integer of at least 0/],
];

test('wrong usage exits with 2 and one sentence, before any work', async () => {
  const ended = await runAll(wrong.map(([call]) => call));
  for (const [i, { code, stdout, stderr }] of ended.entries()) {
    const [call, said] = wrong[i];
    expect({ call, code, stdout }).toEqual({ call, code: 2, stdout: '' });
    const [, sentence] = /^zero-rl: ([^\n]+)\n$/.exec(stderr) ?? [];
    expect({ call, stderr, sentence }).toEqual({ call, stderr, sentence: expect.stringMatching(said) as string });
  }
});

test('what fails for another reason exits with 1 and says it without names of the system', async () => {
  const failures: [call: string, said: RegExp][] = [
    [
      `train --resume ${missing}`,
      /is not a run folder: it has no config\.resolved\.yaml; give a folder that zero-rl train made/,
    ],
    [`replay ${missing} --step 1`, /is not a run folder/],
    [`export ${missing} --metrics ${join(folder, 'm.csv')}`, /is not a run folder/],
    [`report ${missing} --output ${join(folder, 'r.html')}`, /is not a run folder/],
    [`dashboard ${missing}`, /There is no folder/],
    ['train recipes/demo.yaml --set __proto__.polluted=1', /Unknown key "__proto__"/],
    ['train recipes/demo.yaml --dry-run --set kl.coeficient=1', /Unknown key "kl\.coeficient"/],
  ];
  const ended = await runAll(failures.map(([call]) => call));
  for (const [i, { code, stdout, stderr }] of ended.entries()) {
    const [call, said] = failures[i];
    expect({ call, code, stdout, stderr }).toEqual({
      call,
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(said) as string,
    });
    expect(stderr).toMatch(/^zero-rl: [^\n]+\n$/);
    expect(stderr).not.toContain('ENOENT');
  }
});

test('help shows the defaults that hold, and no others', async () => {
  const ended = await runAll(commands.map((name) => `${name} --help`));
  for (const { argv, code, stdout, stderr } of ended) {
    expect({ argv, code, stderr }).toEqual({ argv, code: 0, stderr: '' });
    expect(stdout).not.toMatch(/default: (\[\]|false|undefined)/);
  }
  const [train, , , , sample] = ended.map(({ stdout }) => stdout.replace(/\s+/g, ' '));
  expect(train).toContain("bfloat16 (default: the config's, else float32)");
  expect(sample).toContain('bfloat16 (default: float32)');
});
