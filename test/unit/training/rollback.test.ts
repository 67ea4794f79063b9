import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initialState, pruneCheckpoints } from '../../../src/training/checkpoint';
import { finishRollback, readRollbacks, rollBack } from '../../../src/training/rollback';
import { RunFolder } from '../../../src/training/run-folder';

/** A run folder with checkpoints at these steps, each with the step of the best so far. */
function runWith(checkpoints: Record<number, number | null>): RunFolder {
  const path = mkdtempSync(join(tmpdir(), 'zero-rl-rollback-'));
  writeFileSync(join(path, 'config.resolved.yaml'), '{}');
  const folder = RunFolder.open(path);
  for (const [step, best] of Object.entries(checkpoints)) {
    const state = { ...initialState(), step: Number(step), best: best === null ? null : { step: best, value: 1 } };
    mkdirSync(folder.file('checkpoints', `step-${step}`));
    writeFileSync(folder.file('checkpoints', `step-${step}`, 'trainer-state.json'), JSON.stringify(state));
  }
  return folder;
}

const checkpointsOf = (folder: RunFolder): string[] => readdirSync(folder.file('checkpoints')).sort();

describe('pruning', () => {
  test('keeps the newest and what any of them names as its best', () => {
    const folder = runWith({ 1: 1, 2: 1, 3: 3, 4: 3, 5: 5, 6: 5 });
    pruneCheckpoints(folder.file('checkpoints'), 3);
    // Step 3 is the best of a run that goes back to step 4.
    expect(checkpointsOf(folder)).toEqual(['step-3', 'step-4', 'step-5', 'step-6']);
    pruneCheckpoints(folder.file('checkpoints'), 1);
    expect(checkpointsOf(folder)).toEqual(['step-5', 'step-6']);
  });

  test('keeps nothing more where no best is asked for', () => {
    const folder = runWith({ 2: null, 4: null, 6: null });
    pruneCheckpoints(folder.file('checkpoints'), 2);
    expect(checkpointsOf(folder)).toEqual(['step-4', 'step-6']);
  });
});

describe('going back', () => {
  test('deletes the checkpoints from the trouble on and counts', async () => {
    const folder = runWith({ 2: null, 4: null, 6: null });
    expect(readRollbacks(folder)).toEqual([]);
    expect(await rollBack(folder, 4)).toBe(2);
    expect(checkpointsOf(folder)).toEqual(['step-2']);
    expect(await rollBack(folder, 1)).toBe(0);
    expect(checkpointsOf(folder)).toEqual([]);
    expect(readRollbacks(folder)).toEqual([2, 0]);
  });

  test('one that was cut short is finished once, and only then', async () => {
    const folder = runWith({ 2: null, 4: null, 6: null });
    const file = folder.file('rollbacks.json');
    writeFileSync(file, JSON.stringify({ rollbacks: [2], discardFrom: 4 }));
    await finishRollback(folder);
    expect(checkpointsOf(folder)).toEqual(['step-2']);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ rollbacks: [2] });
    mkdirSync(folder.file('checkpoints', 'step-4'));
    writeFileSync(folder.file('checkpoints', 'step-4', 'trainer-state.json'), JSON.stringify(initialState()));
    await finishRollback(folder);
    expect(checkpointsOf(folder)).toEqual(['step-2', 'step-4']);
  });

  test('nothing is done, and no file is made, where there is none', async () => {
    const folder = runWith({ 2: null });
    await finishRollback(folder);
    expect(checkpointsOf(folder)).toEqual(['step-2']);
    expect(existsSync(folder.file('rollbacks.json'))).toBe(false);
  });
});

test('a resumed run finds no temporary files of a process that was killed', async () => {
  const folder = runWith({});
  const left = ['metrics.jsonl.tmp-12', 'rollouts/step-000001.jsonl.tmp-12', 'evaluations/step-000000.jsonl.tmp-12'];
  for (const name of [...left, 'notes.tmp', 'rollouts/step-000001.jsonl']) writeFileSync(folder.file(name), '');
  await folder.truncateTo(1);
  for (const name of left) expect(existsSync(folder.file(name))).toBe(false);
  expect(existsSync(folder.file('notes.tmp'))).toBe(true);
  expect(existsSync(folder.file('rollouts/step-000001.jsonl'))).toBe(true);
});
