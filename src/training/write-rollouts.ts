/** Which rollouts of a step are kept in the run folder, and what of them. */
import { mapInSlices } from '../event-loop';
import type { Run } from './open-run';
import { meanAdvantage, sampleRow, type SampleRow } from './run-folder';
import type { Sample } from './rollouts';
import { tokenColumns } from './token-columns';

export interface TrainedSamples {
  samples: readonly Sample[];
  /** Those with a reward. */
  scored: readonly Sample[];
  /** Of the scored ones, per token. */
  advantages: readonly Float32Array[];
  /** Of the scored ones, logProb − referenceLogProb per token; null without a reference. */
  kl: readonly Float32Array[] | null;
}

/** Writes the groups of the first prompts, as `rollouts` of the config says; nothing where its `every` is 0. */
export async function writeRollouts(
  { config, folder, policy }: Run,
  step: number,
  trained: TrainedSamples,
): Promise<void> {
  const { every, prompts, tokens } = config.rollouts;
  if (every === 0) return;
  const { samples, scored, advantages, kl } = trained;
  const place = new Map(scored.map((sample, i) => [sample, i]));
  const rowOf = (sample: Sample): SampleRow => {
    const i = place.get(sample);
    const row = sampleRow(step, sample, i === undefined ? undefined : meanAdvantage(advantages[i], sample));
    return tokens ? { ...row, ...tokenColumns(policy, sample, i === undefined ? undefined : kl?.[i]) } : row;
  };
  const written = samples.filter(({ group }) => group < prompts);
  const rows = await mapInSlices(written, rowOf);
  await folder.writeRollouts(step, rows);
}
