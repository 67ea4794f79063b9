import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { copyTokenizerFiles, readCheckpointFolder } from '../../../src/policy/checkpoint-folder';
import { parameterShapes } from '../../../src/policy/decoder-description';
import { parseModelConfig } from '../../../src/policy/model-config';
import { expectFailure, TINY_LLAMA, useTemporaryFolder, writeFloatTensors } from './model-folder';

const folder = useTemporaryFolder();
const write = (name: string, content: unknown) =>
  writeFileSync(join(folder(), name), typeof content === 'string' ? content : JSON.stringify(content));
const parameters = parameterShapes(parseModelConfig(TINY_LLAMA));

describe('readCheckpointFolder', () => {
  beforeEach(() => {
    write('config.json', { ...TINY_LLAMA, eos_token_id: 3 });
    writeFloatTensors(join(folder(), 'model.safetensors'), parameters.toReversed());
  });

  test('one source per parameter, in their order, with configuration and end tokens', async () => {
    const checkpoint = await readCheckpointFolder(folder());
    expect(checkpoint.tensors.map(({ name, shape }) => ({ name, shape }))).toEqual(parameters);
    expect(checkpoint).toMatchObject({ endTokens: [3], hasTokenizer: false, source: { rope_theta: 500000 } });
  });

  test('generation_config.json and tokenizer.json are noticed', async () => {
    write('generation_config.json', { eos_token_id: [7, 8] });
    write('tokenizer.json', '{}');
    expect(await readCheckpointFolder(folder())).toMatchObject({ endTokens: [7, 8], hasTokenizer: true });
  });

  test('numbers as Python writes them', async () => {
    const text = JSON.stringify({ ...TINY_LLAMA, time_step_limit: [0, 'x'] }).replace('"x"', 'Infinity');
    write('config.json', text);
    expect((await readCheckpointFolder(folder())).source).toMatchObject({ time_step_limit: [0, Infinity] });
    write('config.json', JSON.stringify({ ...TINY_LLAMA, rms_norm_eps: 'x' }).replace('"x"', 'NaN'));
    await expectFailure(() => readCheckpointFolder(folder()), /positive number for rms_norm_eps but found NaN/);
  });

  test('a window that is shorter than the positions ends the context, which is said', async () => {
    const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const mistral = { ...TINY_LLAMA, architectures: [], model_type: 'mistral' };
      write('config.json', { ...mistral, sliding_window: 64 });
      expect((await readCheckpointFolder(folder())).config.maxPositions).toBe(64);
      expect(written).not.toHaveBeenCalled();
      write('config.json', { ...mistral, sliding_window: 48 });
      expect((await readCheckpointFolder(folder())).config.maxPositions).toBe(48);
      expect(written.mock.calls.join('')).toMatch(/last 48 tokens only.*instead of 64/);
    } finally {
      written.mockRestore();
    }
  });

  describe('a tied configuration with a head in the file', () => {
    const head = { name: 'lm_head.weight', shape: [40, 32] };
    const file = () => join(folder(), 'model.safetensors');
    let written: jest.SpyInstance;
    beforeEach(() => {
      written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
      writeFloatTensors(file(), [head, ...parameters]);
    });
    afterEach(() => written.mockRestore());

    test('that is the embedding stays tied', async () => {
      const checkpoint = await readCheckpointFolder(folder());
      expect(checkpoint.config.tieWordEmbeddings).toBe(true);
      expect(checkpoint.tensors.map(({ name }) => name)).not.toContain('lm_head.weight');
      expect(written).not.toHaveBeenCalled();
    });

    test('that differs in one number has its own, as in transformers', async () => {
      const bytes = readFileSync(file());
      bytes[8 + Number(bytes.readBigUInt64LE()) + 4 * 40 * 32 - 1] = 1;
      writeFileSync(file(), bytes);
      const checkpoint = await readCheckpointFolder(folder());
      expect(checkpoint.config.tieWordEmbeddings).toBe(false);
      expect(checkpoint.tensors.at(-1)).toMatchObject(head);
      expect(written.mock.calls).toEqual([[expect.stringMatching(/tie_word_embeddings is true, but lm_head\.weight/)]]);
      expect((await readCheckpointFolder(folder(), true)).tensors.map(({ name }) => name)).not.toContain(head.name);
    });
  });

  test('weights that do not belong to the configuration', async () => {
    write('config.json', { ...TINY_LLAMA, intermediate_size: 25 });
    await expectFailure(
      () => readCheckpointFolder(folder()),
      /gate_proj\.weight has shape \[24, 32\] where \[25, 32\]/,
    );
    write('config.json', { ...TINY_LLAMA, num_hidden_layers: 2 });
    await expectFailure(() => readCheckpointFolder(folder()), /lack tensors: model\.layers\.1\./);
  });

  test('a truncated file', async () => {
    const file = join(folder(), 'model.safetensors');
    writeFileSync(file, readFileSync(file).subarray(0, -1));
    await expectFailure(() => readCheckpointFolder(folder()), /ends at byte/);
  });

  test('no folder, no config.json, or one that is not an object', async () => {
    await expectFailure(() => readCheckpointFolder(join(folder(), 'none')), /none is not a folder/);
    mkdirSync(join(folder(), 'empty'));
    await expectFailure(() => readCheckpointFolder(join(folder(), 'empty')), /config\.json is missing/);
    write('config.json', '[1]');
    await expectFailure(() => readCheckpointFolder(folder()), /does not hold a JSON object/);
    writeFileSync(join(folder(), 'config.json'), Buffer.from([0xff, 0xfe]));
    await expectFailure(() => readCheckpointFolder(folder()), /config\.json is not UTF-8/);
  });
});

describe('copyTokenizerFiles', () => {
  test('copies what belongs to the tokenizer and nothing else', async () => {
    write('tokenizer.json', '{"a":1}');
    write('chat_template.jinja', 'x');
    write('config.json', '{}');
    const target = join(folder(), 'deep/target');
    expect(await copyTokenizerFiles(folder(), target)).toEqual(['tokenizer.json', 'chat_template.jinja']);
    expect(readdirSync(target).sort()).toEqual(['chat_template.jinja', 'tokenizer.json']);
    expect(readFileSync(join(target, 'tokenizer.json'), 'utf8')).toBe('{"a":1}');
  });

  test('a save into its own folder changes nothing, also through a link', async () => {
    write('tokenizer.json', '{"a":1}');
    symlinkSync(folder(), join(folder(), 'link'));
    expect(await copyTokenizerFiles(folder(), join(folder(), 'link'))).toEqual([]);
    expect(readFileSync(join(folder(), 'tokenizer.json'), 'utf8')).toBe('{"a":1}');
  });
});
