/** Runs the tools of the set-up, shows what they are doing, and turns a failure into one sentence. */
import { spawn } from 'node:child_process';

/** A failure whose message is all that the user needs. */
export class SetupError extends Error {}

const LOG_LINES = 40;

/**
 * Runs a program and resolves with its output; its lines go to `onLine` as they come.
 * @throws {SetupError} `failure` after the last lines of the output, when the program ends with another code than 0
 */
export function run(command, args, { failure, onLine = () => {}, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    let partial = '';
    const read = (text) => {
      output += text;
      const lines = (partial + text).split(/\r?\n/);
      partial = lines.pop();
      lines.forEach(onLine);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.on('error', (error) => reject(new SetupError(`${failure} (${error.message})`)));
    child.on('close', (status) => {
      if (status === 0) return resolve(output);
      const lines = output.trimEnd().split('\n');
      const first = Math.max(
        0,
        lines.findIndex((line) => /\berror\b/i.test(line)),
      );
      process.stderr.write(
        `\n${lines
          .slice(Math.min(first, lines.length - 1))
          .slice(0, LOG_LINES)
          .join('\n')}\n\n`,
      );
      reject(new SetupError(failure));
    });
  });
}

/** A step's line on stderr: rewritten in place on a terminal, elsewhere printed at the start, now and then, and at the end. */
export function startStep(title) {
  const started = Date.now();
  const terminal = process.stderr.isTTY === true;
  const seconds = () => Math.round((Date.now() - started) / 1000);
  let detail = '';
  const draw = () => {
    const line = `${title}${detail === '' ? '' : `: ${detail}`} (${seconds()} s)`;
    process.stderr.write(terminal ? `\r\u001b[K${line.slice(0, (process.stderr.columns ?? 100) - 1)}` : `${line}\n`);
  };
  if (!terminal) process.stderr.write(`${title}\n`);
  const timer = setInterval(draw, terminal ? 200 : 15_000);
  const stop = () => {
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\u001b[K');
  };
  return {
    show: (text) => {
      detail = text;
    },
    done: () => {
      stop();
      process.stderr.write(`${title}: done in ${seconds()} s\n`);
    },
    stop,
  };
}
