/** The families of decoders, by `model_type` of config.json. */
import { ZeroRlError } from '../../errors';
import { quote } from '../checkpoint-file';
import type { Family } from './family';
import { llama } from './llama';
import { mistral } from './mistral';
import { olmo2 } from './olmo2';
import { qwen2 } from './qwen2';
import { qwen3 } from './qwen3';
import { smollm3 } from './smollm3';

export const FAMILIES = { qwen2, qwen3, llama, mistral, olmo2, smollm3 } satisfies Record<string, Family>;

export type Architecture = keyof typeof FAMILIES;

export const ARCHITECTURES = Object.keys(FAMILIES) as Architecture[];

/** @throws ZeroRlError ERR_ZERO_RL_CONFIG where there is none of this name */
export function familyOf(architecture: string): Family {
  if (Object.hasOwn(FAMILIES, architecture)) return FAMILIES[architecture as Architecture];
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    `Architecture ${quote(architecture)} is not implemented; use one of ${ARCHITECTURES.join(', ')}.`,
  );
}
