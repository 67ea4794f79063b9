/** What the loop needs of a policy; {@link Policy} has it, and tests may bring one of their own. */
import { ZeroRlError } from '../errors';
import { Critic } from '../policy/critic';
import type { ModelConfig } from '../policy/model-config';
import { Policy } from '../policy/policy';
import type { Tokenizer } from '../policy/tokenizer';
import type { Completion, PolicyOptions, SampleOptions } from '../policy/types';
import { untilAborted } from '../until-aborted';

export interface TrainingPolicy extends Pick<
  Policy,
  'encodePrompt' | 'logProbs' | 'step' | 'save' | 'saveTrainingState' | 'loadTrainingState' | 'dispose'
> {
  readonly parameterCount: number;
  /** As `Policy.sample`. */
  sample(prompts: readonly Int32Array[], options?: SampleOptions): Promise<Completion[]>;
  /** `cpu` or `cuda:N`. */
  readonly device?: string;
  /** As `Policy.stream`; without it an evaluation is silent until it ends. */
  stream?(prompts: readonly Int32Array[], options?: SampleOptions): AsyncIterable<Completion>;
  /** Sizes that the memory of keys and values is counted from, the tokens that there are, and the context. */
  readonly config?: Pick<ModelConfig, 'layers' | 'kvHeads' | 'headDim'> &
    Partial<Pick<ModelConfig, 'vocabSize' | 'maxPositions'>>;
  /** As `Policy.follow`; `other` was loaded as this one was. */
  follow(other: this, rate: number): Promise<void>;
  /** As `Policy.trunkCritic`, for `critic.kind: trunk`. */
  trunkCritic?(): TrainingCritic;
  readonly tokenizer: (Pick<Tokenizer, 'decode'> & Partial<Pick<Tokenizer, 'bytesOf' | 'specialTokens'>>) | null;
}

/** Makes a policy from a model folder. */
export type LoadPolicy = (directory: string, options: PolicyOptions) => Promise<TrainingPolicy>;

export const loadPolicy: LoadPolicy = (directory, options) => Policy.load(directory, options);

/** What the loop needs of a critic. */
export type TrainingCritic = Pick<
  Critic,
  'parameterCount' | 'values' | 'step' | 'save' | 'saveTrainingState' | 'loadTrainingState' | 'dispose'
>;

/** Makes a critic from the folder of a policy or of a critic. */
export type LoadCritic = (directory: string, options: PolicyOptions) => Promise<TrainingCritic>;

export const loadCritic: LoadCritic = (directory, options) => Critic.load(directory, options);

/** `load`, given up as soon as the signal is aborted; a model that is there only then is disposed of. */
export function abortable<M extends { dispose(): void }>(
  load: (directory: string, options: PolicyOptions) => Promise<M>,
  signal: AbortSignal | undefined,
): typeof load {
  return async (directory, options) => {
    signal?.throwIfAborted();
    const loading = load(directory, options);
    try {
      return await untilAborted(loading, signal);
    } catch (error) {
      loading.then(
        (model) => model.dispose(),
        () => undefined,
      );
      throw error;
    }
  };
}

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
