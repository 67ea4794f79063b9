/** `zero-rl bench`: throughput, memory and share of the roofline of the engine, and of its kernels one by one. */
import { Command, Option } from 'commander';
import { Bench, type BenchOptions, type BenchResult } from '../bench/bench';
import type { MachineReport } from '../bench/machine';
import { kernelCsv } from '../bench/kernel-csv';
import { parseShape, type KernelShape } from '../bench/kernel-list';
import { benchKernels, type KernelReport, type KernelResult } from '../bench/kernels';
import { rooflinePlot } from '../bench/roofline-plot';
import { TASKS, type Task } from '../bench/workload';
import { log } from '../observe/log';
import { startProgress } from '../observe/progress';
import { engineThreads, resolveDevice } from '../policy/device';
import { writeFileAtomically } from '../policy/atomic-file';
import type { Dtype } from '../policy/types';
import { addEngineOptions, engineOptions, integerOption, outputFile, type EngineFlags } from './common-options';

interface Flags extends EngineFlags {
  model?: string;
  task: Task;
  batch: number;
  group: number;
  prompt: number;
  tokens: number;
  runs: number;
  quick?: boolean;
  json?: boolean;
}

interface KernelFlags {
  device?: string;
  dtype?: Dtype;
  threads?: number;
  only?: string;
  shape?: KernelShape[];
  csv?: string;
  plot?: string;
  quick?: boolean;
  json?: boolean;
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(0)} %`;

function warnUnsteady(steady: boolean, drift: number): void {
  if (steady) return;
  log.warn(`The machine's own speed changed by ${percent(drift)} meanwhile; close other programs and measure again.`);
}

/** A product that reads matrices from memory, as the peak does, stays well below the matrix units alone. */
function matrixUnits({ tilesGigaflopsPerSecond: tiles }: Pick<MachineReport, 'tilesGigaflopsPerSecond'>): string {
  return tiles > 0 ? ` (matrix units alone ${tiles.toFixed(0)})` : '';
}

function printResult(result: BenchResult): void {
  const { task, batch, group, prompt, tokens, dtype, threads, instructionSet, roofline } = result;
  const shape = `${batch}${group > 1 ? ` (groups of ${group})` : ''} x (${prompt} + ${tokens})`;
  const lines = [
    `${task} ${shape}, ${dtype}, ${threads} threads, ${instructionSet}`,
    `${result.seconds.toFixed(3)} s (${Math.min(...result.runs).toFixed(3)} to ${Math.max(...result.runs).toFixed(3)} in ${result.runs.length} runs)`,
    `${Math.round(result.tokensPerSecond)} tokens/s, peak memory ${Math.round(result.peakRssMiB)} MiB`,
    `${percent(roofline.fraction)} of the roofline (${roofline.boundSeconds.toFixed(3)} s), ${percent(roofline.flopsFraction)} of ` +
      `${roofline.peakGigaflopsPerSecond.toFixed(0)} GFLOP/s${matrixUnits(roofline)}; memory ${roofline.readGigabytesPerSecond.toFixed(1)} GB/s`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function bench(flags: Flags, self: Command): Promise<void> {
  if (flags.model === undefined) {
    self.error('error: --model is missing; name a Hugging Face model folder', { exitCode: 2 });
  }
  const { model, task, batch, group, prompt, tokens, quick } = flags;
  const options: BenchOptions = { model, task, batch, group, prompt, tokens, quick, ...engineOptions(flags) };
  using session = await Bench.open(options);
  using progress = startProgress({ label: `bench ${task}`, total: flags.runs + 1, unit: 'runs' });
  for (let i = 0; i <= flags.runs; i++) {
    await session.run(i > 0);
    progress.advance();
  }
  progress.stop();
  const result = await session.result();
  if (flags.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else printResult(result);
  warnUnsteady(result.roofline.steady, result.roofline.drift);
}

const columns: [title: string, width: number, cell: (result: KernelResult) => string][] = [
  ['kernel', -20, (result) => result.kernel],
  ['use', -30, (result) => result.use],
  ['dtype', -9, (result) => result.dtype],
  ['us', 11, (result) => (result.seconds * 1e6).toFixed(1)],
  ['GB/s', 8, (result) => result.gigabytesPerSecond.toFixed(1)],
  ['GFLOP/s', 9, (result) => result.gigaflopsPerSecond.toFixed(1)],
  ['of roof', 8, (result) => percent(result.fraction)],
  ['bound', 10, (result) => result.bound],
  ['x ATen', 8, (result) => result.ratio.toFixed(2)],
];

function printKernels({ threads, instructionSet, machine, kernels }: KernelReport): void {
  const { float32, bfloat16 } = machine;
  const pad = (text: string, width: number): string => (width < 0 ? text.padEnd(-width) : text.padStart(width));
  const rows = [
    columns.map(([title, width]) => pad(title, width)),
    ...kernels.map((kernel) => columns.map(([, width, cell]) => pad(cell(kernel), width))),
  ];
  process.stdout.write(
    `${threads} threads, ${instructionSet}; peak ${float32.peakGigaflopsPerSecond.toFixed(0)} (float32) and ` +
      `${bfloat16.peakGigaflopsPerSecond.toFixed(0)} (bfloat16) GFLOP/s${matrixUnits(bfloat16)}; memory ${float32.readGigabytesPerSecond.toFixed(1)} GB/s\n` +
      `${rows.map((row) => row.join(' ')).join('\n')}\n`,
  );
}

async function kernels(_: object, self: Command): Promise<void> {
  // Options that `bench` has too are parsed there.
  const flags = self.optsWithGlobals<KernelFlags>();
  const own = new Set(self.options.map(({ long }) => long));
  const foreign = command.options.find(
    (option) => !own.has(option.long) && command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (foreign) self.error(`error: unknown option '${foreign.long}'`, { exitCode: 2 });
  if (flags.device !== undefined && resolveDevice(flags.device) !== 'cpu')
    self.error('error: bench kernels measures the kernels of the CPU; leave --device out', { exitCode: 2 });
  using progress = startProgress({ label: 'bench kernels', total: 0, unit: 'kernels' });
  const report = await benchKernels({
    threads: engineThreads(flags.threads),
    dtypes: flags.dtype ? [flags.dtype] : ['float32', 'bfloat16'],
    only: flags.only,
    shapes: flags.shape,
    quick: flags.quick,
    onKernel: (done, total) => {
      progress.setTotal(total);
      progress.set(done);
    },
  });
  progress.stop();
  if (flags.csv !== undefined) await writeFileAtomically(flags.csv, kernelCsv(report));
  if (flags.plot !== undefined) await writeFileAtomically(flags.plot, await rooflinePlot(report));
  if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else printKernels(report);
  warnUnsteady(report.machine.float32.steady, report.machine.float32.drift);
}

const kernelsCommand = addEngineOptions(
  new Command('kernels')
    .description(
      'Times every kernel in turn with its ATen twin, and gives its share of the bandwidth or the peak measured in the ' +
        'same process. ZERO_RL_ISA forces an instruction set.',
    )
    .option('--only <text>', 'only kernels whose name contains this')
    .option(
      '--shape <kernel:sizes>',
      'a shape instead of the usual ones, e.g. gemm:m=32,n=64,k=128; may be repeated',
      (text, before: KernelShape[] | undefined) => [...(before ?? []), parseShape(text)],
    )
    .option('--csv <file>', 'write the table as CSV', outputFile)
    .option('--plot <file>', 'draw the roofline plot as SVG', outputFile)
    .option('--quick', 'fewer, shorter samples and no large shapes')
    .option('--json', 'print one JSON object on standard output'),
  { dtype: 'both', loads: false },
).action(kernels);

export const command = addEngineOptions(
  new Command('bench')
    .description(
      'Measures the engine on random tokens: `sample` draws --group completions of each of --batch/--group prompts without ' +
        'end tokens, `logprobs` scores and `step` trains --batch sequences (forward, backward, clipping, AdamW). The time is ' +
        'the median of --runs after one more; tokens per second count new tokens for sample, prompt and new tokens ' +
        'otherwise. Peak memory is that of the process. The roofline is the least time that this machine could take, from ' +
        'its bandwidth and peak measured in the same process before and after.',
    )
    .option('--model <folder>', 'Hugging Face model folder; needs no tokenizer')
    .addOption(new Option('--task <name>', 'what to run').choices(TASKS).default('sample'))
    .option('--batch <count>', 'sequences', integerOption(1), 32)
    .option('--group <count>', 'sequences that share a prompt', integerOption(1), 1)
    .option('--prompt <count>', 'tokens of a prompt', integerOption(1), 64)
    .option('--tokens <count>', 'new tokens of a sequence', integerOption(1), 64)
    .option('--runs <count>', 'runs that count', integerOption(1), 5)
    .option('--quick', 'measure the machine in a second instead of several')
    .option('--json', 'print one JSON object on standard output'),
  { trains: true },
)
  .action(bench)
  .addCommand(kernelsCommand);
