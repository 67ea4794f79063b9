/** Checks of numbers that config schemas share. */
import { z } from 'zod';

export const positiveInteger = z.int().min(1);
export const count = z.int().min(0);
export const finite = z.number();
export const nonNegative = z.number().min(0);
export const fraction = z.number().min(0).max(1);
