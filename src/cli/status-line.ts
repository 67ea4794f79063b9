/** One line on stderr that says what is going on: rewritten in place on a terminal, printed now and then elsewhere. */

const INTERVAL_MILLISECONDS = { terminal: 100, plain: 10_000 };

export interface StatusLine {
  show(text: string): void;
  /** Removes the line from a terminal. */
  clear(): void;
}

export function statusLine(stream: NodeJS.WriteStream = process.stderr): StatusLine {
  const started = Date.now();
  const interval = stream.isTTY ? INTERVAL_MILLISECONDS.terminal : INTERVAL_MILLISECONDS.plain;
  let last = -Infinity;
  return {
    show(text) {
      const now = Date.now();
      if (now - last < interval) return;
      last = now;
      const line = `${text} (${Math.round((now - started) / 1000)} s)`;
      stream.write(stream.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
    },
    clear() {
      if (stream.isTTY) stream.write('\r\u001b[K');
    },
  };
}
