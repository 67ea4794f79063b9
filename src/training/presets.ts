/** Settings of published zero-RL experiments by one word. Keys of the config itself come first. */
import { isJsonObject, ownValue, setOwn, type JsonObject } from '../json-object';
import type { TrainConfigInput } from './config';

export const presetNames = ['tinyzero', 'simplerl', 'seed'] as const;
export type PresetName = (typeof presetNames)[number];

type Preset = Omit<Partial<TrainConfigInput>, 'data'> & { data?: Partial<TrainConfigInput['data']> };

/**
 * - `tinyzero`: the countdown task of TinyZero (generated here, or its dataset with `data.train`), answers in tags, reward 1,
 *   0.1 or 0, KL 0.001 in the reward. TinyZero itself trains with PPO.
 * - `simplerl`: simpleRL-reason (simpleRL-Zoo) on GSM8K- and MATH-style rows: Qwen's boxed prompt, reward 1 or 0 without a
 *   format penalty, GRPO with k3 times 1e-4 in the loss, eight samples. `data.template: simple` is its prompt for weak base models.
 * - `seed`: +1 right, -0.5 wrong in the right format (`reward.wrongAnswer: 0` is as good), -1 wrong format; REINFORCE without
 *   any KL (OpenRLHF's init_kl_coef = 0).
 */
export const presets: Record<PresetName, Preset> = {
  tinyzero: {
    data: { train: 'countdown', template: 'countdown' },
    reward: { name: 'countdown', correct: 1, wrongAnswer: 0.1, wrongFormat: 0 },
    kl: { initCoefficient: 0.001 },
    rollout: { maxTokens: 1024, temperature: 1, stopStrings: ['\nUser:'] },
  },
  simplerl: {
    data: { template: 'qwen-boxed' },
    reward: { name: 'math', format: 'any', correct: 1, wrongAnswer: 0, wrongFormat: 0 },
    algorithm: { name: 'grpo' },
    kl: { initCoefficient: 0, lossCoefficient: 1e-4, lossEstimator: 'k3' },
    rollout: { samplesPerPrompt: 8, maxTokens: 3072, temperature: 1, stopStrings: ['<|im_end|>', '<|endoftext|>'] },
    optimizer: { learningRate: 5e-7 },
  },
  seed: {
    data: { template: 'boxed' },
    reward: { name: 'math', format: 'boxed', correct: 1, wrongAnswer: -0.5, wrongFormat: -1 },
    algorithm: { name: 'reinforce' },
    kl: { initCoefficient: 0, lossCoefficient: 0 },
    rollout: { temperature: 1, stopStrings: ['\nQuestion:'] },
  },
};

/** `over` laid on `under`: mappings key by key, anything else whole. */
function lay(under: JsonObject, over: JsonObject): JsonObject {
  const both = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = ownValue(both, key);
    // A reward of another name shares no key with that of the preset.
    const sameKind =
      !isJsonObject(value) || !isJsonObject(below) || value.name === undefined || value.name === below.name;
    setOwn(both, key, isJsonObject(value) && isJsonObject(below) && sameKind ? lay(below, value) : value);
  }
  return both;
}

/** The config with what its `preset` says where it says nothing itself. An unknown name is left for the schema to refuse. */
export function applyPreset(config: JsonObject): JsonObject {
  const name = config.preset;
  if (!(presetNames as readonly unknown[]).includes(name)) return config;
  return lay(structuredClone(presets[name as PresetName]), config);
}
