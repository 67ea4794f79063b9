/** `zero-rl libtorch install`: puts the pinned libtorch into the cache. */
import { Command } from 'commander';
import { installLibtorch } from '../libtorch/install';
import { pin } from '../libtorch/pin';
import { statusLine } from './status-line';

interface Flags {
  cuda?: true;
  headers?: true;
  force?: true;
  archive?: string;
  json?: true;
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
  .option('--archive <url>', 'download this archive instead, laid out like those of PyTorch')
  .option('--force', 'install again what is there')
  .option('--json', 'print the result as JSON')
  .action(async (flags: Flags) => {
    const status = statusLine();
    try {
      const { directory, installed } = await installLibtorch({
        flavor: flags.cuda ? 'cuda' : 'cpu',
        headers: flags.headers ?? false,
        force: flags.force ?? false,
        ...(flags.archive === undefined ? {} : { archive: flags.archive }),
        onProgress: (text) => status.show(text),
      });
      status.clear();
      if (flags.json) console.log(JSON.stringify({ torch: pin.torch, directory, installed }));
      else
        console.log(`libtorch ${pin.torch} ${installed ? 'is installed' : 'was already installed'} in ${directory}.`);
    } finally {
      status.clear();
    }
  });
