/** `zero-rl dashboard`: the live page of the runs in a folder. */
import { spawn } from 'node:child_process';
import { Command, Option } from 'commander';
import { log } from '../observe/log';
import { defaultPort, startDashboard } from '../observe/dashboard/serve';
import { integerOption } from './common-options';

interface Flags {
  port?: number;
  host: string;
  token?: string;
  open?: boolean;
  json?: boolean;
}

/** Asks the desktop to show an address; without one nothing happens. */
function openBrowser(url: string): void {
  spawn('xdg-open', [url], { stdio: 'ignore', detached: true })
    .on('error', () => log.warn('There is no xdg-open; open the address yourself'))
    .unref();
}

async function run(folder: string, { port, host, token, open, json }: Flags): Promise<void> {
  const dashboard = await startDashboard({ folder, port, host, token });
  if (json) process.stdout.write(`${JSON.stringify({ url: dashboard.url, pid: process.pid })}\n`);
  else process.stdout.write(`dashboard of ${folder}: ${dashboard.url}\n`);
  if (open) openBrowser(dashboard.url);
  await new Promise<void>((stop) => {
    // Started by zero-rl train it ends with the training, however that ends, and not by the terminal's interrupt to both.
    const beside = process.channel !== undefined;
    process.on('SIGINT', () => beside || stop()).once('SIGTERM', stop);
    process.once('disconnect', stop);
  });
  await dashboard.close();
}

export const command = new Command('dashboard')
  .description(
    'Serves a page with live curves, rollouts, events and configs of the runs in a folder, and with buttons to pause, save ' +
      'and stop them. Ctrl-C ends it. It needs no network.',
  )
  .argument('[folder]', 'folder with runs, or a run folder', 'runs')
  .option('--port <number>', `default ${defaultPort}, or a free one where that is taken`, integerOption(0))
  .option(
    '--host <name>',
    'address to listen on; on others than loopback the page needs the token to look, too',
    '127.0.0.1',
  )
  .addOption(
    new Option(
      '--token <secret>',
      'what lets a page act on runs (default: a random one, printed in the address); as a variable no list of processes shows it',
    ).env('ZERO_RL_DASHBOARD_TOKEN'),
  )
  .option('--open', 'open the page in a browser')
  .option('--json', 'print the address as one JSON object on stdout')
  .action(run);
