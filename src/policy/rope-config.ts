/**
 * Rotary position embedding settings of config.json, in the spelling of transformers 4 (`rope_theta`, `rope_scaling`)
 * and of transformers 5 (`rope_parameters`), as `convert_rope_params_to_dict` of transformers 5 resolves them.
 */
import { isJsonObject, type JsonObject } from '../json-object';
import { checkpointError, quote } from './checkpoint-file';

export type RopeScaling =
  | { type: 'linear'; factor: number }
  | { type: 'llama3'; factor: number; lowFreqFactor: number; highFreqFactor: number; originalMaxPositions: number };

export interface RopeConfig {
  /** Base of the inverse frequencies theta^(−2i/headDim). */
  theta: number;
  scaling: RopeScaling | null;
}

/**
 * @param defaultTheta where the file has none
 * @param maxPositions max_position_embeddings
 */
export function parseRope(source: JsonObject, defaultTheta: number, maxPositions: number, file: string): RopeConfig {
  const key = isEmpty(source.rope_scaling) ? 'rope_parameters' : 'rope_scaling';
  const parameters = source[key] ?? {};
  if (!isJsonObject(parameters)) throw checkpointError(`${file}: ${key} is not an object; correct the file.`);
  const nested = Object.keys(parameters).find((name) => isJsonObject(parameters[name]));
  if (nested !== undefined) {
    throw checkpointError(
      `${file}: ${key} per layer type (${nested}) is not implemented; use a model with one for all layers.`,
    );
  }
  const partial = parameters.partial_rotary_factor ?? source.partial_rotary_factor ?? 1;
  if (partial !== 1) {
    throw checkpointError(
      `${file}: partial_rotary_factor ${quote(partial)} is not implemented; use a model that rotates whole heads.`,
    );
  }
  const positive = (name: string, value: unknown): number => {
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    throw checkpointError(
      `${file}: expected a positive number for ${name} but found ${quote(value)}; correct the file.`,
    );
  };
  const theta = positive('rope_theta', parameters.rope_theta ?? source.rope_theta ?? defaultTheta);
  const type = parameters.rope_type ?? parameters.type ?? 'default';
  switch (type) {
    case 'default':
      return { theta, scaling: null };
    case 'linear':
      return { theta, scaling: { type: 'linear', factor: positive(`${key}.factor`, parameters.factor) } };
    case 'llama3': {
      const lowFreqFactor = positive(`${key}.low_freq_factor`, parameters.low_freq_factor);
      const highFreqFactor = positive(`${key}.high_freq_factor`, parameters.high_freq_factor);
      if (highFreqFactor <= lowFreqFactor) {
        throw checkpointError(
          `${file}: ${key}.high_freq_factor ${highFreqFactor} is not above low_freq_factor ${lowFreqFactor}; correct the file.`,
        );
      }
      const original =
        source.original_max_position_embeddings ?? parameters.original_max_position_embeddings ?? maxPositions;
      return {
        theta,
        scaling: {
          type: 'llama3',
          factor: positive(`${key}.factor`, parameters.factor),
          lowFreqFactor,
          highFreqFactor,
          originalMaxPositions: positive(`${key}.original_max_position_embeddings`, original),
        },
      };
    }
    default:
      throw checkpointError(
        `${file}: rope type ${quote(type)} is not implemented; use a model with default, linear or llama3 rotary embeddings.`,
      );
  }
}

/** The keys of both generations for the same embedding. */
export function ropeToHuggingFace(rope: RopeConfig): JsonObject {
  const scaling = scalingToHuggingFace(rope.scaling);
  return {
    rope_theta: rope.theta,
    rope_scaling: scaling,
    rope_parameters: { rope_theta: rope.theta, ...(scaling ?? { rope_type: 'default' }) },
  };
}

function scalingToHuggingFace(scaling: RopeScaling | null): JsonObject | null {
  if (scaling === null) return null;
  if (scaling.type === 'linear') return { rope_type: 'linear', factor: scaling.factor };
  return {
    rope_type: 'llama3',
    factor: scaling.factor,
    low_freq_factor: scaling.lowFreqFactor,
    high_freq_factor: scaling.highFreqFactor,
    original_max_position_embeddings: scaling.originalMaxPositions,
  };
}

function isEmpty(value: unknown): boolean {
  return value == null || (isJsonObject(value) && Object.keys(value).length === 0);
}
