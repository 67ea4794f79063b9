/** Processes that go for the same stale locks at the same moment. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { childProgram } from '../support/child';
import { temporaryFolder } from '../support/fixture-model';
import { ownerHere, writeLock } from '../support/stale-lock';

const PROCESSES = 4;
const ROUNDS = 40;

test('of several processes that take over a stale lock exactly one has it', async () => {
  const folder = temporaryFolder();
  for (let round = 0; round < ROUNDS; round++) {
    mkdirSync(join(folder, `run-${round}`));
    writeLock(join(folder, `run-${round}`, 'lock'), ownerHere(process.ppid));
  }
  const children = Array.from({ length: PROCESSES }, () =>
    spawn(process.execPath, [childProgram('lock-race.cjs'), folder, String(ROUNDS)], {
      env: { ...process.env, NODE_OPTIONS: undefined },
      stdio: ['pipe', 'ignore', 'inherit'],
    }),
  );
  const count = (prefix: string): number => readdirSync(folder).filter((name) => name.startsWith(prefix)).length;
  const winners: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      writeFileSync(join(folder, `start-${round}`), '');
      while (count(`tried-${round}-`) < PROCESSES) {
        expect(children.map(({ exitCode }) => exitCode)).toEqual(children.map(() => null));
        await delay(5);
      }
      winners.push(count(`won-${round}-`));
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
  expect(winners).toEqual(winners.map(() => 1));
  rmSync(folder, { recursive: true });
});
