/** The shipped base model is the one that configs/pretrain.yaml describes. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseModelConfig } from '../../../src/policy/model-config';
import type { JsonObject } from '../../../src/json-object';
import { readPretrainConfig } from '../../../src/training/load-pretrain-config';
import { modelConfig } from '../../../src/training/pretrain-config';
import { ASCII_BYTES, byteTokenizer } from '../../../src/training/pretrain-tokenizer';

const root = join(__dirname, '../../..');
const model = join(root, 'models/arithmetic-1m');
const config = readPretrainConfig(join(root, 'configs/pretrain.yaml'));
const steps = config.checkpoints.map((step) => `step-${step}`);
const readJson = (folder: string, name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as JsonObject;

describe('models/arithmetic-1m', () => {
  test('has the checkpoints that the config keeps', () => {
    expect(readdirSync(join(model, 'checkpoints')).sort()).toEqual([...steps].sort());
  });

  test.each(['.', ...steps.map((step) => `checkpoints/${step}`)])(
    '%s has the architecture and tokenizer of the config',
    (at) => {
      const folder = join(model, at);
      const tokenizer = byteTokenizer(ASCII_BYTES);
      expect(readJson(folder, 'tokenizer.json')).toEqual(tokenizer);
      expect(parseModelConfig(readJson(folder, 'config.json'))).toEqual(modelConfig(config, ASCII_BYTES.length + 2));
    },
  );

  test('stays under 12 MB', () => {
    const files = readdirSync(model, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(model, name)));
    const bytes = files.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeLessThan(12e6);
  });
});
