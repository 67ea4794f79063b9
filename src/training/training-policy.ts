/** What the loop needs of a policy; {@link Policy} has it, and tests may bring one of their own. */
import { ZeroRlError } from '../errors';
import { Policy } from '../policy/policy';
import type { Tokenizer } from '../policy/tokenizer';
import type { PolicyOptions } from '../policy/types';

export interface TrainingPolicy extends Pick<
  Policy,
  'encodePrompt' | 'sample' | 'logProbs' | 'step' | 'save' | 'saveTrainingState' | 'loadTrainingState' | 'dispose'
> {
  readonly parameterCount: number;
  readonly tokenizer: Pick<Tokenizer, 'decode'> | null;
}

/** Makes a policy from a model folder. */
export type LoadPolicy = (directory: string, options: PolicyOptions) => Promise<TrainingPolicy>;

export const loadPolicy: LoadPolicy = (directory, options) => Policy.load(directory, options);

/** Text of response tokens without special tokens. */
export function decodeResponse(policy: TrainingPolicy, tokens: Int32Array): string {
  if (!policy.tokenizer) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CHECKPOINT',
      'The model folder has no tokenizer.json, which training on text needs; add it to the folder',
    );
  }
  return policy.tokenizer.decode(tokens, { skipSpecialTokens: true });
}
