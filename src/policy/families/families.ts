/** The families of decoders, by `model_type` of config.json. */
import type { Family } from './family';
import { llama } from './llama';
import { mistral } from './mistral';
import { qwen2 } from './qwen2';
import { qwen3 } from './qwen3';

export const FAMILIES = { qwen2, qwen3, llama, mistral } satisfies Record<string, Family>;

export type Architecture = keyof typeof FAMILIES;

export const ARCHITECTURES = Object.keys(FAMILIES) as Architecture[];
