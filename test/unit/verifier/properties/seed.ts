/**
 * One seed for all property tests, so that a run can be repeated; on a failure fast-check prints it with the path of the
 * counterexample. PROPERTY_SEED takes another one.
 */
import type { Parameters } from 'fast-check';

const seed = Number(process.env.PROPERTY_SEED ?? 20_260_731);

/** @param numRuns Samples. */
export const seeded = <T>(numRuns: number): Parameters<T> => ({ seed, numRuns });
