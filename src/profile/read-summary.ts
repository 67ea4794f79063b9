/** Reads what `zero-rl profile --summary` wrote. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ZeroRlError } from '../errors';
import type { ProfileSummary } from './summary';

/** What a comparison needs. */
const schema = z.looseObject({
  command: z.array(z.string()),
  seconds: z.number(),
  wall: z.looseObject({ accounted: z.number(), idle: z.number(), other: z.number() }),
  phases: z.array(z.looseObject({ name: z.string(), calls: z.number(), seconds: z.number() })),
  sections: z.array(
    z.looseObject({ name: z.string(), calls: z.number(), seconds: z.number(), ownSeconds: z.number() }),
  ),
  kernels: z.array(
    z.looseObject({
      kernel: z.string(),
      section: z.string(),
      dtype: z.string(),
      calls: z.number(),
      seconds: z.number(),
      gigabytesPerSecond: z.number(),
      gigaflopsPerSecond: z.number(),
    }),
  ),
  memory: z.looseObject({ peakRssMiB: z.number() }),
});

/** @throws ZeroRlError `ERR_ZERO_RL_DATA` for a file that is none */
export function readSummary(file: string): ProfileSummary {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8'))) as unknown as ProfileSummary;
  } catch (cause) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_DATA',
      `${file} is not the summary of a profile; make one with zero-rl profile --summary FILE`,
      { cause },
    );
  }
}
