/** Runs the scenario that the argument names and prints what came of it as JSON. */
const { setTimeout: wait } = require('node:timers/promises');
const { verify, verifyBatch, VerifierPool } = require('../../../dist/index.js');

const hanging = require.resolve('./hanging-verifier.cjs');
const plain = ({ correct, reason, extracted }) => [correct, reason, extracted];
const outcome = (promise) =>
  promise.then(
    (verdicts) => verdicts.map(plain),
    ({ name, code, message }) => ({ name, code, message }),
  );

const golds = ['12', '\\frac{1}{2}', '', 'x=5', '1,200', 'Tuesday'];
const completions = [
  '\\boxed{12}',
  'The answer is 0.5.',
  '<answer>5</answer>',
  '#### 1200',
  'nothing',
  '\\text{tuesday}',
];
const mixed = (count) =>
  Array.from({ length: count }, (_, i) => ({
    gold: golds[i % golds.length],
    completion: `${i} ${'so '.repeat(i % 40)}${completions[i % completions.length]} \\boxed{${i % 7}}`,
  }));
const labelled = (...completions) => completions.map((completion) => ({ gold: 'a', completion }));

const scenarios = {
  /** Every kind of size: single long texts, many short ones, more than a chunk. */
  async same() {
    const long = 'x'.repeat(3_000_000);
    const cases = [
      ...mixed(3000),
      { gold: '1', completion: `${long} \\boxed{1}` },
      { gold: `${long}é→\\boxed{7}`, completion: `→${long}\\boxed{7}` },
      { gold: '2', completion: `\\boxed{2}${long}` },
      ...mixed(50),
    ];
    const differences = {};
    for (const statement of ['any', 'boxed']) {
      const verdicts = await verifyBatch(cases, { statement, workers: 3 });
      const expected = cases.map(({ gold, completion }) => verify(gold, completion, { statement }));
      differences[statement] = verdicts.flatMap((verdict, i) =>
        JSON.stringify(plain(verdict)) === JSON.stringify(plain(expected[i])) ? [] : [i],
      );
      differences.count = verdicts.length;
      differences.timed = verdicts.every(({ ms }) => ms >= 0);
    }
    return differences;
  },
  /** Batches at the same time, one of them empty, on one pool that is used again. */
  async shared() {
    const pool = new VerifierPool({ workers: 2 });
    const batches = [mixed(700), [], mixed(10), mixed(300)];
    const first = await Promise.all(batches.map((cases) => pool.verify(cases)));
    pool.stopIdle();
    const second = await Promise.all(batches.map((cases) => pool.verify(cases)));
    const right = batches.map((cases) => cases.map(({ gold, completion }) => plain(verify(gold, completion))));
    return [first, second].map((all) => JSON.stringify(all.map((some) => some.map(plain))) === JSON.stringify(right));
  },
  async hang() {
    const pool = new VerifierPool({ workers: 2, timeoutMs: 1000 }, hanging);
    const cases = labelled(...Array.from({ length: 40 }, (_, i) => (i === 7 || i === 30 ? 'hang' : i % 2 ? 'a' : 'b')));
    const verdicts = await pool.verify(cases);
    return { verdicts: verdicts.map(plain), again: await outcome(pool.verify(labelled('a'))) };
  },
  /** The thread ends by itself, runs out of memory, or the check throws. */
  async broken() {
    const pool = new VerifierPool({ workers: 1 }, hanging);
    return outcome(pool.verify(labelled('a', 'exit', 'memory', 'throw', 'b')));
  },
  /** Under way, and before the call. */
  async aborted() {
    const pool = new VerifierPool({ workers: 1 }, hanging);
    const controller = new AbortController();
    const under = outcome(pool.verify(labelled('a', 'hang'), { signal: controller.signal }));
    await wait(200);
    controller.abort(new Error('enough'));
    return [await under, await outcome(pool.verify(labelled('a'), { signal: AbortSignal.abort(new Error('before')) }))];
  },
  /** An aborted call does not keep the process alive for its hung worker. */
  async abandoned() {
    const pool = new VerifierPool({ workers: 1, timeoutMs: 1e9 }, hanging);
    return outcome(pool.verify(labelled('hang'), { signal: AbortSignal.timeout(300) }));
  },
  async disposed() {
    const pool = new VerifierPool({ workers: 1 }, hanging);
    const under = outcome(pool.verify(labelled('hang')));
    await wait(200);
    await pool.dispose();
    await pool.dispose();
    return [await under, await outcome(pool.verify(labelled('a')))];
  },
  async unstartable() {
    const pool = new VerifierPool({}, '/nonexistent.js');
    return outcome(pool.verify(labelled('a')));
  },
  async wrong() {
    return [
      await outcome(verifyBatch('x')),
      await outcome(verifyBatch([{ gold: 'a', completion: 'b' }, null])),
      await outcome(verifyBatch([{ gold: 'a', completion: 3 }])),
      await outcome(verifyBatch([], { workers: 0 })),
      await outcome(verifyBatch([], { statement: 'all' })),
      await outcome(verifyBatch(mixed(20), { timeoutMs: 'soon' })),
    ];
  },
};

void scenarios[process.argv[2]]().then((result) => console.log(JSON.stringify(result)));
