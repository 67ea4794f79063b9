/** What a family of decoders is. A family is one file of this folder and its line in families.ts. */
import type { JsonObject } from '../../json-object';
import type { ConfigKeys } from '../config-keys';
import type { ModelConfig } from '../model-config';
import type { DecoderLayer } from './layers';

/** The part of a ModelConfig that families differ in. */
export type Features = Pick<ModelConfig, 'attentionBias' | 'outputBias' | 'mlpBias' | 'qkNorm' | 'nopeLayers'>;

export interface Family {
  /** Class of transformers, as in `architectures`. */
  causalLmClass: string;
  /** Values of keys that config.json lacks: those of the class of transformers 5. */
  defaults: {
    /** Null: as many as query heads, which an explicit null means in every family. */
    kvHeads: number | null;
    /** Null: hidden_size / num_attention_heads. */
    headDim: number | null;
    maxPositions: number;
    rmsNormEps: number;
    tieWordEmbeddings: boolean;
    ropeTheta: number;
  };
  /**
   * @param layers of the model
   * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT naming what the family has elsewhere but not here
   */
  readFeatures(keys: ConfigKeys, layers: number): Features;
  /** The keys from which `readFeatures` reads the same, where the family can express them. */
  writeFeatures(config: ModelConfig): JsonObject;
  /** Absent where the family knows no sliding windows. */
  window?: {
    /** Tokens that a layer with a window sees, the token itself included; null when no layer has one. */
    read(keys: ConfigKeys, layers: number): number | null;
    /** Keys that switch windows off. */
    off: JsonObject;
  };
  /** What layer `index` does, and its tensors in the order in which they are stored. */
  layer(config: ModelConfig, index: number): DecoderLayer;
}
