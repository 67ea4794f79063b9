/**
 * One seed for all property tests, so that a run can be repeated; on a failure fast-check prints it with the path of the
 * counterexample. ZERO_RL_TEST_SEED takes another one.
 */
const fc = require('fast-check');

const text = process.env.ZERO_RL_TEST_SEED || '20260731';
const seed = Number(text);
if (!Number.isInteger(seed)) throw new RangeError(`Expected an integer in ZERO_RL_TEST_SEED, got "${text}"`);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: seed | 0 });
