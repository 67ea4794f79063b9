/** Runs programs as child processes and says how they ended. */
import { spawn } from 'node:child_process';
import path from 'node:path';

export const repository = path.join(__dirname, '..', '..');

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ChildOptions {
  /** Default: the Node that runs the tests. */
  command?: string;
  /** Added to the environment; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Text for its standard input, which is then closed; without it stdin stays open. */
  input?: string;
  /** Called as soon as it runs. */
  onSpawn?: (kill: (signal: NodeJS.Signals) => void) => void;
  /** Called with the output so far whenever some arrives. */
  onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** The same for standard error. */
  onErrorOutput?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs `node <args>` (or another command) without the flags of jest's own processes. */
export function runChild(args: string[], options: ChildOptions = {}): Promise<Ended> {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: undefined, ...options.env };
  const child = spawn(options.command ?? process.execPath, args, { env, cwd: options.cwd ?? repository });
  options.onSpawn?.((signal) => child.kill(signal));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.onOutput?.(stdout, (signal) => child.kill(signal));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onErrorOutput?.(stderr, (signal) => child.kill(signal));
  });
  // The child may end before it has read everything.
  child.stdin.on('error', () => undefined);
  if (options.input !== undefined) child.stdin.end(options.input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** The path of a program below test/process/children. */
export function childProgram(name: string): string {
  return path.join(repository, 'test', 'process', 'children', name);
}
