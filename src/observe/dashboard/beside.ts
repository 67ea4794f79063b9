/** A dashboard in a process of its own, so that reading many runs takes no time from the training loop beside it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../package-root';

export interface DashboardProcess {
  url: string;
  stop(): void;
}

/** Starts `zero-rl dashboard` on a folder; it ends with this process at the latest. Null where it does not start. */
export function dashboardBeside(folder: string): Promise<DashboardProcess | null> {
  const main = join(packageRoot, 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'dashboard', folder, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  // An interrupt of the terminal reaches both: training saves a checkpoint first, and the page shows it.
  child.unref();
  child.channel?.unref();
  return new Promise((done) => {
    let text = '';
    child.once('error', () => done(null)).once('exit', () => done(null));
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\n')) return;
      const { url } = JSON.parse(text) as { url: string };
      (child.stdout as unknown as { unref(): void }).unref();
      done({ url, stop: () => void child.kill() });
    });
  });
}
