/**
 * Log lines on stderr. ZERO_RL_LOG is `silent`, `error`, `warn`, `info` (default) or `debug`; it is read at each call, so
 * a test or a host program may change it. An unknown value counts as `info`.
 */
import { format } from 'node:util';

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
type Level = (typeof LEVELS)[number];

function enabled(level: Level): boolean {
  const chosen = LEVELS.indexOf(process.env.ZERO_RL_LOG as Level);
  return LEVELS.indexOf(level) <= (chosen === -1 ? LEVELS.indexOf('info') : chosen);
}

function write(level: Level, values: unknown[]): void {
  if (enabled(level)) process.stderr.write(`zero-rl: ${level === 'info' ? '' : `${level}: `}${format(...values)}\n`);
}

export const log = {
  error: (...values: unknown[]): void => write('error', values),
  warn: (...values: unknown[]): void => write('warn', values),
  info: (...values: unknown[]): void => write('info', values),
  debug: (...values: unknown[]): void => write('debug', values),
  isEnabled: enabled,
  /** Whether debug lines (and stack traces of the command line) are shown. */
  isDebug: (): boolean => enabled('debug'),
};
