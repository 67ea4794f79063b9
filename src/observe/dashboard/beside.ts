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
    // Why it does not start, where it does not, it says itself.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  return new Promise((done) => {
    let text = '';
    child.once('error', () => done(null)).once('exit', () => done(null));
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\n')) return;
      const { url } = JSON.parse(text) as { url: string };
      // Not before: while it starts nothing else may keep this process alive.
      child.unref();
      child.channel?.unref();
      (child.stdout as unknown as { unref(): void }).unref();
      done({ url, stop: () => void child.kill() });
    });
  });
}
