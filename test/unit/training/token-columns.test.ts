import { Tokenizer } from '../../../src/policy/tokenizer';
import type { Sample } from '../../../src/training/rollouts';
import { tokenColumns } from '../../../src/training/token-columns';
import { decodeResponse, type TrainingPolicy } from '../../../src/training/training-policy';

async function columnsOf(text: string, change: (tokens: Int32Array) => Int32Array = (tokens) => tokens) {
  const tokenizer = await Tokenizer.load('test/fixtures/tokenizers/qwen2');
  const policy = { tokenizer } as unknown as TrainingPolicy;
  const tokens = change(tokenizer!.encode(text));
  const completion = decodeResponse(policy, tokens);
  const rollout = { tokens, logProbs: new Float32Array(tokens.length).fill(-0.12345) };
  return { completion, ...tokenColumns(policy, { rollout, completion } as Sample, undefined) };
}

test('lengths cut the completion into the texts of its tokens, also inside a character', async () => {
  const { completion, tokenLengths, logProbs } = await columnsOf('naïve 🦜 x² = 漢字<|endoftext|>');
  expect(completion).toBe('naïve 🦜 x² = 漢字');
  expect(tokenLengths?.reduce((sum, length) => sum + length, 0)).toBe(completion.length);
  expect(tokenLengths?.at(-1)).toBe(0);
  expect(logProbs).toEqual(tokenLengths?.map(() => -0.123));
});

test('half a character at the end counts with the last token', async () => {
  const { completion, tokenLengths } = await columnsOf('🦜', (tokens) => tokens.subarray(0, tokens.length - 1));
  expect(tokenLengths?.reduce((sum, length) => sum + length, 0)).toBe(completion.length);
});

test('a completion that the tokens do not make up has no lengths', () => {
  const policy = { tokenizer: { decode: () => 'x' } } as unknown as TrainingPolicy;
  const rollout = { tokens: Int32Array.of(1), logProbs: Float32Array.of(-1) };
  const kl = Float32Array.of(0.25);
  expect(tokenColumns(policy, { rollout, completion: 'x' } as Sample, kl)).toEqual({ logProbs: [-1], kl: [0.25] });
});
