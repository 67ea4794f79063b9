/** Runs the compiled command line in a child process. */
import path from 'node:path';
import { repository, runChild, type ChildOptions, type Ended } from './child';

export function runCli(parameters: string[], options: ChildOptions = {}): Promise<Ended> {
  const main = path.join(repository, 'dist', 'cli', 'main.js');
  return runChild([main, ...parameters], { ...options, env: { ZERO_RL_LOG: undefined, ...options.env } });
}
