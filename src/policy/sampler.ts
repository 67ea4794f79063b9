/** Sampling on one model, for `Policy` and `Scheduler`: requests go to the engine, its completions come back as rollouts. */
import type { NativeModel, NativeRollout, NativeSampleRequest } from '../../binding/native';
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
  private stopTable: Uint8Array[] | null = null;

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
    const whole = stopStrings.length === 0 ? request : { ...request, tokenBytes: this.bytesOfTokens() };
    return this.calls.run(caller, signal, (flag) => {
      onStart(() => flag.abort());
      return this.model.sample(whole, (completions) => onRollouts(completions.map(rolloutOf)), flag);
    });
  }

  /** One entry per id of the model, whose vocabulary may be larger or smaller than the tokenizer's. */
  private bytesOfTokens(): Uint8Array[] {
    if (this.tokenizer === null) return [];
    if (this.stopTable !== null) return this.stopTable;
    const known = tokenBytes(this.tokenizer).slice(0, this.context.vocabSize);
    const unknown = Array.from({ length: this.context.vocabSize - known.length }, () => new Uint8Array());
    return (this.stopTable = [...known, ...unknown]);
  }
}
