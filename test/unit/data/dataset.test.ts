import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProblems as loadSources, type DatasetOptions, type Problem } from '../../../src/data/dataset';
import { problemsOfStep } from '../../../src/data/order';
import { loadTemplate } from '../../../src/data/template';
import { loadEnvironment } from '../../../src/environments/load';

const folder = mkdtempSync(join(tmpdir(), 'zero-rl-data-'));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const options = { count: 20, split: 'train' } as const;
const loadProblems = async (source: string, more: DatasetOptions): Promise<Problem[]> =>
  (await loadSources([{ source }], more)).problems;

describe('problems of a file', () => {
  test('columns are found by name, ids default to line numbers, numbers become text', async () => {
    const path = file(
      'good.jsonl',
      '{"question":"1+1","answer":2}\n\n{"id":"b","problem":"2+2","solution":"4","level":3}\n',
    );
    expect(await loadProblems(path, options)).toEqual([
      { id: '1', problem: '1+1', answer: '2', row: { question: '1+1', answer: 2 }, source: path },
      expect.objectContaining({ id: 'b', problem: '2+2', answer: '4' }),
    ]);
  });

  test('every bad line is named, up to five', async () => {
    const path = file(
      'bad.jsonl',
      '{"problem":"1","answer":"1"}\nnot json\n{"problem":"1"}\n{"problem":"","answer":"1"}\n{"problem":[],"answer":"1"}\n',
    );
    const loading = loadProblems(path, options);
    await expect(loading).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
    await expect(loading).rejects.toThrow(/[Ll]ine 2/);
    const later = file('columns.jsonl', '{"problem":"1"}\n{"problem":"","answer":"1"}\n{"problem":[],"answer":"1"}\n');
    await expect(loadProblems(later, options)).rejects.toThrow(
      /line 1: it has no "answer", "gold", "solution", .*line 2: "problem" is empty; line 3: "problem" is a list of 0 values instead of text/,
    );
  });

  test('a misspelt column gets the nearest one', async () => {
    const path = file('keys.jsonl', '{"prompt":"1","answer":"1"}\n');
    await expect(loadProblems(path, { ...options, problemKey: 'promt' })).rejects.toThrow('did you mean "prompt"?');
  });

  test('missing and empty files', async () => {
    await expect(loadProblems(join(folder, 'none.jsonl'), options)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
    await expect(loadProblems(file('empty.jsonl', '\n'), options)).rejects.toThrow('holds no problem');
  });
});

describe('user code', () => {
  const code = file(
    'mine.mjs',
    'export const rows = [{ problem: "p", answer: "a" }]; export async function* stream({ count }) { for (let i = 0; i < count; i++) yield { problem: `p${i}`, answer: 1 }; } export const shout = (row) => row.problem.toUpperCase(); export const nothing = () => "";',
  );

  test('arrays and async generators', async () => {
    expect(await loadProblems(`${code}#rows`, options)).toHaveLength(1);
    expect(await loadProblems(`${code}#stream`, options)).toHaveLength(20);
  });

  test('that throws is one error which says where; that waits for ever does not hold up a stop', async () => {
    const bad = file(
      'bad.mjs',
      `export const asked = async () => { throw new Error('no net'); };
       export function* rows() { yield { problem: 'p', answer: 'a' }; throw new Error('no more'); }
       export const never = () => new Promise(() => undefined);
       export async function* stuck() { yield { problem: 'p', answer: 'a' }; await new Promise(() => undefined); }
       export const template = () => { throw new Error('no field'); };`,
    );
    const fails = (name: string, more: Partial<DatasetOptions> = {}) =>
      expect(loadProblems(`${bad}#${name}`, { ...options, ...more })).rejects;
    await fails('asked').toMatchObject({
      code: 'ERR_ZERO_RL_DATA',
      message: `The dataset ${bad}#asked threw before its first row: no net`,
    });
    await fails('rows').toThrow(`The dataset ${bad}#rows threw after row 1: no more`);
    for (const name of ['never', 'stuck']) {
      const controller = new AbortController();
      const stopped = fails(name, { signal: controller.signal }).toThrow('enough');
      setImmediate(() => controller.abort(new Error('enough')));
      await stopped;
    }
    const template = await loadTemplate(`${bad}#template`);
    expect(() => template({ id: '7', problem: 'p', answer: 'a' })).toThrow(
      `The template ${bad}#template threw on problem "7": no field`,
    );
  });

  test('whose module waits for ever is left when the run is stopped', async () => {
    const stuck = file('stuck.mjs', 'await new Promise(() => undefined); export const rows = [];');
    const controller = new AbortController();
    const { signal } = controller;
    const loads = [
      loadProblems(`${stuck}#rows`, { ...options, signal }),
      loadTemplate(`${stuck}#rows`, signal),
      loadEnvironment(`${stuck}#rows`, signal),
      loadEnvironment(`${file('waits.mjs', 'export const made = () => new Promise(() => undefined);')}#made`, signal),
    ];
    const settled = Promise.allSettled(loads);
    setImmediate(() => controller.abort(new Error('enough')));
    expect((await settled).map((one) => one.status === 'rejected' && (one.reason as Error).message)).toEqual(
      Array(4).fill('enough'),
    );
  });

  test('a missing export and a missing file are config errors', async () => {
    await expect(loadProblems(`${code}#row`, options)).rejects.toThrow(
      'exports no row for the dataset (did you mean "rows"?)',
    );
    await expect(loadProblems('./nowhere.mjs', options)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CONFIG' });
  });

  test('templates', async () => {
    const problem = { id: '1', problem: "a $& $' b", answer: '2' };
    expect((await loadTemplate(`${code}#shout`))(problem)).toBe("A $& $' B");
    expect((await loadTemplate('<{problem}|{problem}>'))(problem)).toBe("<a $& $' b|a $& $' b>");
    expect((await loadTemplate('question'))(problem)).toBe("Question: a $& $' b\nAnswer:");
    await expect(loadTemplate('no placeholder')).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CONFIG' });
    await expect(loadTemplate(`${code}#rows`)).rejects.toThrow('is not a function');
    expect(await loadTemplate(`${code}#nothing`).then((template) => () => template(problem))).toThrow(
      'gave no text for problem "1"',
    );
  });
});

describe('the order of problems', () => {
  test('an epoch holds each problem once and the next epoch has another order', () => {
    const steps = Array.from({ length: 10 }, (_, step) => problemsOfStep(15, 3, step, 1));
    const epochs = [steps.slice(0, 5).flat(), steps.slice(5).flat()];
    for (const epoch of epochs)
      expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, i) => i));
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  test('is a function of seed and step alone, also across epoch ends', () => {
    expect(problemsOfStep(5, 4, 3, 7)).toEqual(problemsOfStep(5, 4, 3, 7));
    const flat = Array.from({ length: 5 }, (_, step) => problemsOfStep(5, 4, step, 7)).flat();
    for (let epoch = 0; epoch < 4; epoch++) expect(new Set(flat.slice(5 * epoch, 5 * epoch + 5)).size).toBe(5);
    expect(problemsOfStep(1000, 4, 0, 1)).not.toEqual(problemsOfStep(1000, 4, 0, 2));
  });
});
