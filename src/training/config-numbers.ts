/** Checks of numbers that config schemas share. What the engine would refuse at some step is refused here, before the first. */
import { z } from 'zod';
import { MAX_BATCH, MAX_MEMORY_BUDGET_MIB, TEMPERATURE } from '../policy/limits';

export const positiveInteger = z.int().min(1);
export const count = z.int().min(0);
/** Of rewards and their weights: sums and squares of them stay float32 numbers. */
export const finite = z.number().min(-1e9).max(1e9);
export const nonNegative = z.number().min(0);
export const fraction = z.number().min(0).max(1);
/** Above 0 and at most 1. */
export const share = z.number().gt(0).max(1);
/** Of AdamW's moments: with 1 they would never move. */
export const betas = z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]);
export const temperature = z.number().min(TEMPERATURE.least).max(TEMPERATURE.most);
export const maxBatch = z.int().min(0).max(MAX_BATCH);
export const mebibytes = z.int().min(1).max(MAX_MEMORY_BUDGET_MIB);
/** Prompts of a step, and samples of a prompt: what they multiply to is counted with 32 bits. */
export const promptCount = z.int().min(1).max(32_767);
export const sampleCount = z.int().min(1).max(65_536);
/** A timer counts milliseconds with 31 bits. */
export const seconds = z.number().positive().max(2_147_483);
