/** Reads the config of `zero-rl pretrain` from YAML and `--set`. */
import { applyAssignments, checkSchema, readYamlFile } from './load-config';
import { pretrainSchema, resolvePretrainPaths, type PretrainConfig, type PretrainConfigInput } from './pretrain-config';

/** Checks a config, fills in the defaults and makes its paths absolute. @throws ZeroRlError `ERR_ZERO_RL_CONFIG` */
export function resolvePretrainConfig(input: PretrainConfigInput, where = 'the config'): PretrainConfig {
  return resolvePretrainPaths(checkSchema(pretrainSchema, input, where));
}

/** The config of a YAML file with `a.b=c` assignments on top. @throws ZeroRlError `ERR_ZERO_RL_CONFIG` */
export function readPretrainConfig(file: string, assignments: readonly string[] = []): PretrainConfig {
  return resolvePretrainConfig(applyAssignments(readYamlFile(file), assignments) as PretrainConfigInput, file);
}
