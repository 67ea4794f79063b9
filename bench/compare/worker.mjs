/** One side of the comparison in a process of its own, pinned to the same processors as the others. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class Worker {
  /** @param command program and arguments */
  constructor(command, { cpus, environment }) {
    this.child = spawn('taskset', ['--cpu-list', cpus, ...command], {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.errors = '';
    this.waiting = [];
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.errors = (this.errors + text).slice(-2000)));
    this.child.stdin.on('error', () => {});
    this.ended = new Promise((resolve) => this.child.on('close', resolve).on('error', resolve));
    void this.ended.then(() => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error(this.errors.trim() || 'the process ended'));
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.waiting.shift()?.resolve(JSON.parse(line));
    });
  }

  /** The next answer; the process is killed after `seconds`. */
  answer(seconds) {
    return new Promise((resolve, reject) => {
      if (this.child.exitCode !== null) return void reject(new Error(this.errors.trim() || 'the process ended'));
      const timer = setTimeout(() => {
        this.errors = `no answer within ${Math.round(seconds)} s`;
        this.child.kill('SIGKILL');
      }, seconds * 1000);
      const settle = (done) => (value) => {
        clearTimeout(timer);
        done(value);
      };
      this.waiting.push({ resolve: settle(resolve), reject: settle(reject) });
    });
  }

  async run(limit) {
    this.child.stdin.write('run\n');
    return (await this.answer(limit)).seconds;
  }

  /** Ends the process and returns what it says of itself. */
  async end() {
    this.child.stdin.write('end\n');
    const last = await this.answer(120);
    this.child.stdin.end();
    await this.ended;
    return last;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
