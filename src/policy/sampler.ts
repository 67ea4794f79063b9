/** Sampling on one model, for `Policy` and `Scheduler`: requests go to the engine, its completions come back as rollouts. */
import type { AbortFlag, NativeModel, NativeRollout, NativeSampleRequest } from '../../binding/native';
import { mapInSlices } from '../event-loop';
import type { Caller } from './caller';
import type { EngineCalls } from './engine-calls';
import type { ModelConfig } from './model-config';
import type { SampleContext } from './sample-request';
import { tokenBytes } from './token-bytes';
import type { Tokenizer } from './tokenizer';
import type { Rollout, SampleStats } from './types';

/** @param ends tokens that end a completion */
export function makeRollout(
  completion: NativeRollout,
  promptTokens: Int32Array,
  tokenizer: Pick<Tokenizer, 'decode'> | null,
  ends: ReadonlySet<number>,
): Rollout {
  const { tokens, finishReason } = completion;
  const written = (): Int32Array => {
    const ended = finishReason === 'stop' && ends.has(tokens[tokens.length - 1]);
    return ended ? tokens.subarray(0, -1) : tokens;
  };
  let text: string | null = null;
  return {
    ...completion,
    promptTokens,
    // A batch may have thousands, of which few are read.
    get text() {
      return (text ??= tokenizer?.decode(written(), { skipSpecialTokens: true }) ?? null);
    },
  };
}

export class Sampler {
  /** What validation needs to know. */
  readonly context: SampleContext;
  /** Whether the engine knows what each token adds to a text, and the work that tells it. */
  private knowsBytes = false;
  private telling: Promise<void> | null = null;

  constructor(
    private readonly model: NativeModel,
    readonly calls: EngineCalls,
    private readonly tokenizer: Tokenizer | null,
    { vocabSize, maxPositions }: ModelConfig,
    endTokens: readonly number[],
  ) {
    const encode: SampleContext['encode'] =
      tokenizer === null ? null : (text, addSpecialTokens) => tokenizer.encode(text, { addSpecialTokens });
    this.context = { vocabSize, maxPositions, endTokens, encode };
  }

  /**
   * Runs a request and gives its completions as they are done.
   * @param onStart is given what aborts it, once it is on its way
   */
  run(
    caller: Caller,
    request: NativeSampleRequest,
    signal: AbortSignal | undefined,
    onRollouts: (rollouts: Rollout[]) => void,
    onStart: (abort: () => void) => void = () => undefined,
  ): Promise<SampleStats> {
    const { tokens, offsets, stopTokens, stopStrings } = request;
    const ends = new Set(stopTokens);
    const prompts: Int32Array[] = [];
    const rolloutOf = (completion: NativeRollout): Rollout => {
      const { prompt } = completion;
      // A copy, so that who keeps a rollout does not keep the prompts of all.
      prompts[prompt] ??= tokens.slice(offsets[prompt], offsets[prompt + 1]);
      return makeRollout(completion, prompts[prompt], this.tokenizer, ends);
    };
    const sample = (flag: AbortFlag): Promise<SampleStats> => {
      onStart(() => flag.abort());
      return this.model.sample(request, (completions) => onRollouts(completions.map(rolloutOf)), flag);
    };
    const prepare = stopStrings.length > 0 && !this.knowsBytes ? () => this.tellBytes() : undefined;
    return this.calls.run(caller, signal, sample, prepare);
  }

  private tellBytes(): Promise<void> {
    return (this.telling ??= this.tellEngine());
  }

  /** The model's vocabulary may be larger or smaller than the tokenizer's. */
  private async tellEngine(): Promise<void> {
    if (this.tokenizer === null) return;
    const known = (await tokenBytes(this.tokenizer)).slice(0, this.context.vocabSize);
    let end = 0;
    const ends = Int32Array.from(known, ({ length }) => (end += length));
    const bytes = new Uint8Array(end);
    await mapInSlices(known, (token, i) => bytes.set(token, ends[i] - token.length));
    this.model.setTokenBytes(bytes, ends);
    this.knowsBytes = true;
  }
}
