/** Writes JSON Lines to a file or standard output as they come, so that an interrupted run keeps what it has. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { ZeroRlError } from '../errors';

/** Float32 values as the shortest decimals that read back to the same float32. */
export function float32ToJson(values: Float32Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(9)));
}

export class JsonLinesWriter {
  private constructor(
    private readonly path: string,
    private readonly stream: NodeJS.WritableStream & { destroyed?: boolean },
    private failure: Error | null = null,
  ) {
    stream.on('error', (error: Error) => (this.failure = error));
  }

  /**
   * Opens `path` (`-` is standard output) and empties it.
   * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT`, also by the other methods
   */
  static async open(path: string): Promise<JsonLinesWriter> {
    if (path === '-') return new JsonLinesWriter('standard output', process.stdout);
    const stream = createWriteStream(path);
    const writer = new JsonLinesWriter(path, stream);
    await once(stream, 'open').catch(() => undefined);
    writer.check();
    return writer;
  }

  /** Waits only where the stream is full. */
  async write(value: object): Promise<void> {
    this.check();
    if (!this.stream.write(`${JSON.stringify(value)}\n`)) await once(this.stream, 'drain').catch(() => undefined);
    this.check();
  }

  /** Waits until everything is written. Standard output stays open. */
  async close(): Promise<void> {
    if (this.stream === process.stdout) {
      await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
    } else {
      this.stream.end();
      await finished(this.stream).catch(() => undefined);
    }
    this.check();
  }

  private check(): void {
    if (this.failure === null) return;
    const why =
      (this.failure as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such folder' : this.failure.message;
    const message = `${this.path} cannot be written: ${why}; choose another output.`;
    throw new ZeroRlError('ERR_ZERO_RL_OUTPUT', message, { cause: this.failure });
  }
}
