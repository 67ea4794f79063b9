/** `zero-rl libtorch install`: puts the pinned libtorch into the cache. */
import { Command } from 'commander';
import { installLibtorch, type InstallProgress } from '../libtorch/install';
import { pin } from '../libtorch/pin';
import { log } from '../observe/log';
import { startProgress, type Progress } from '../observe/progress';

interface Flags {
  cuda?: true;
  headers?: true;
  force?: true;
  archive?: string;
  json?: true;
}

const MEGABYTE = 1e6;

/** A bar for each activity, in MB. */
class InstallBars implements Disposable {
  private activity = '';
  private bar: Progress | null = null;
  private megabytes = 0;

  show({ activity, bytes, total = 0 }: InstallProgress): void {
    if (activity !== this.activity) {
      this[Symbol.dispose]();
      this.activity = activity;
      this.megabytes = 0;
      if (bytes === undefined) log.info(activity);
    }
    if (bytes === undefined) return;
    this.bar ??= startProgress({ label: activity, total: 0, unit: 'MB' });
    const megabytes = Math.round(bytes / MEGABYTE);
    if (megabytes === this.megabytes) return;
    this.bar.setTotal(Math.max(Math.round(total / MEGABYTE), megabytes));
    this.bar.advance(megabytes - this.megabytes);
    this.megabytes = megabytes;
  }

  [Symbol.dispose](): void {
    this.bar?.stop();
    this.bar = null;
  }
}

export const command = new Command('libtorch').description('Manages the libtorch that zero-rl runs on.');

command
  .command('install')
  .summary(`install libtorch ${pin.torch} into the cache`)
  .description(
    `Installs libtorch ${pin.torch} into the cache (about 530 MB to download, 460 MB kept), with pip where there is one and ` +
      'from PyTorch otherwise. Does nothing when it is there.',
  )
  .option('--cuda', 'install what a machine with an NVIDIA GPU needs (2.5 GB to download, 3.6 GB kept)')
  .option('--headers', 'also install the headers, to build zero-rl from source')
  .option('--archive <url>', 'download this archive instead, laid out like those of PyTorch; #sha256=… checks it')
  .option('--force', 'install again what is there')
  .option('--json', 'print the result as JSON')
  .action(async (flags: Flags) => {
    using bars = new InstallBars();
    const { directory, installed } = await installLibtorch({
      flavor: flags.cuda ? 'cuda' : 'cpu',
      headers: flags.headers ?? false,
      force: flags.force ?? false,
      ...(flags.archive === undefined ? {} : { archive: flags.archive }),
      onProgress: (progress) => bars.show(progress),
    });
    bars[Symbol.dispose]();
    if (flags.json) console.log(JSON.stringify({ torch: pin.torch, directory, installed }));
    else console.log(`libtorch ${pin.torch} ${installed ? 'is installed' : 'was already installed'} in ${directory}.`);
  });
