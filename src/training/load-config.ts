/** Reads a config from YAML, `--set` and objects, and turns what is wrong with it into one sentence. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isJsonObject, ownValue, setOwn, type JsonObject } from '../json-object';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { isHubDataset } from '../data/dataset';
import { isGenerator, type DataSource } from '../data/source';
import { CHAT } from '../data/template';
import { invalidType, ZeroRlError } from '../errors';
import { parseHubId } from '../hub/repository';
import { nearest } from '../nearest';
import { packageRoot } from '../package-root';
import { isUserCode, resolveUserCode } from '../user-code';
import { configSchema, type TrainConfig, type TrainConfigInput } from './config';
import { advantageFormula } from './formulas';
import { everyPart, rewardNames } from './config-reward';
import { withObjectiveDefaults } from './objective-defaults';
import { applyPreset } from './presets';
import { checkRemovedKeys } from './removed-keys';

/** Keys of other frameworks that are taken over, with the key they stand for. */
export const aliases: Readonly<Record<string, string>> = {
  init_kl_coef: 'kl.initCoefficient',
  'kl.init_kl_coef': 'kl.initCoefficient',
  'algo.kl.init_coef': 'kl.initCoefficient',
  num_mini_batches: 'optimizer.minibatches',
};

function configError(message: string, cause?: unknown): ZeroRlError {
  return new ZeroRlError('ERR_ZERO_RL_CONFIG', message, cause === undefined ? undefined : { cause });
}

/** The mappings that a schema allows, within its defaults, lists, unions and transforms. */
function mappings(schema: unknown): z.ZodObject[] {
  if (schema instanceof z.ZodObject) return [schema];
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return mappings(schema.unwrap());
  if (schema instanceof z.ZodArray) return mappings(schema.element);
  if (schema instanceof z.ZodPipe) return [...mappings(schema.in), ...mappings(schema.out)];
  return schema instanceof z.ZodUnion ? schema.options.flatMap(mappings) : [];
}

/** Every key path of a schema, e.g. `kl.initCoefficient`; lists add nothing to it. */
function keyPaths(schema: unknown, prefix = ''): string[] {
  const children = mappings(schema).flatMap(({ shape }) =>
    Object.entries(shape).flatMap(([key, value]) => keyPaths(value, prefix === '' ? key : `${prefix}.${key}`)),
  );
  return [...new Set(prefix === '' ? children : [prefix, ...children])];
}

/** The nearest key in the same section, else the key of that name in another section. */
function suggestKey(fullPath: readonly string[], schema: z.ZodType): string {
  const path = fullPath.filter((key) => !/^\d+$/.test(key));
  const all = keyPaths(schema);
  const section = path.slice(0, -1).join('.');
  const last = path[path.length - 1];
  const siblings = all
    .filter((key) => key.split('.').slice(0, -1).join('.') === section)
    .map((key) => key.split('.').pop() ?? key);
  const near = nearest(last, siblings);
  if (near !== undefined) return ` (did you mean "${[section, near].filter(Boolean).join('.')}"?)`;
  // Of several keys of that name the first counts.
  const leaves = new Map(all.map((key) => [key.split('.').pop() ?? key, key] as const).reverse());
  const elsewhere = nearest(last, [...leaves.keys()]);
  if (elsewhere !== undefined) return ` (did you mean "${leaves.get(elsewhere) ?? elsewhere}"?)`;
  return siblings.length > 0 ? ` (known: ${siblings.join(', ')})` : '';
}

function valueAt(config: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? ownValue(value as JsonObject, String(key)) : undefined,
    config,
  );
}

/** The name of a reward that there is none of. It may stand alone, for an object with the defaults. */
function unknownReward(config: unknown, path: readonly string[]): string {
  const parent = path.slice(0, -1);
  const alone = typeof valueAt(config, parent) === 'string';
  const place = alone ? parent : path;
  const value = valueAt(config, place);
  const near = typeof value === 'string' ? nearest(value, rewardNames) : undefined;
  const expected = `one of ${rewardNames.join(', ')} or ./my.mjs#name`;
  return `${invalidType(place.join('.'), expected, value).message}${near ? ` (did you mean "${near}"?)` : ''}`;
}

/** The first issue that says something: of a union, the branch that got furthest. */
function describeIssue(
  issue: z.core.$ZodIssue,
  config: unknown,
  schema: z.ZodType,
  prefix: readonly PropertyKey[] = [],
): string {
  const path = [...prefix, ...issue.path].map(String);
  const name = path.join('.') || 'the config';
  const value = valueAt(config, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return `Unknown key "${[...path, issue.keys[0]].join('.')}"${suggestKey([...path, issue.keys[0]], schema)}`;
    case 'invalid_union': {
      const inner = issue.errors.flat();
      if (inner.length === 0) return unknownReward(config, path);
      // Only the kind of value is wrong: every kind that there is.
      const types = inner.filter(({ path: at }) => at.length === 0);
      const expected = types.flatMap((one) => (one.code === 'invalid_type' ? [one.expected] : []));
      if (expected.length === inner.length)
        return invalidType(name, [...new Set(expected)].join(' or '), value).message;
      const depth = (candidate: z.core.$ZodIssue): number =>
        candidate.path.length + (candidate.code === 'unrecognized_keys' ? 1 : 0);
      const deepest = inner.reduce((best, candidate) => (depth(candidate) > depth(best) ? candidate : best));
      return describeIssue(deepest, config, schema, path);
    }
    case 'invalid_type':
      return value === undefined
        ? `${name} is missing (${issue.expected})`
        : invalidType(name, issue.expected, value).message;
    case 'invalid_value': {
      const allowed = issue.values.map((item) => JSON.stringify(item));
      const near = typeof value === 'string' ? nearest(value, issue.values.map(String)) : undefined;
      const expected = allowed.length === 1 ? allowed[0] : `one of ${allowed.join(', ')}`;
      return `${invalidType(name, expected, value).message}${near ? ` (did you mean "${near}"?)` : ''}`;
    }
    case 'too_small':
      return invalidType(name, `a value ${issue.inclusive ? 'of at least' : 'above'} ${issue.minimum}`, value).message;
    case 'too_big':
      return invalidType(name, `a value ${issue.inclusive ? 'of at most' : 'below'} ${issue.maximum}`, value).message;
    default:
      return issue.message.startsWith('Expected ')
        ? invalidType(name, issue.message.slice(9), value).message
        : `${name}: ${issue.message}`;
  }
}

function setPath(target: JsonObject, path: readonly string[], value: unknown): void {
  let at = target;
  for (const key of path.slice(0, -1)) {
    const below = ownValue(at, key);
    const next = isJsonObject(below) ? below : {};
    setOwn(at, key, next);
    at = next;
  }
  setOwn(at, path[path.length - 1], value);
}

function takePath(target: JsonObject, path: readonly string[]): { value: unknown } | null {
  const parents: JsonObject[] = [target];
  for (const key of path.slice(0, -1)) {
    const next = ownValue(parents[parents.length - 1], key);
    if (!isJsonObject(next)) return null;
    parents.push(next);
  }
  const last = path[path.length - 1];
  const holder = parents[parents.length - 1];
  if (!Object.hasOwn(holder, last)) return null;
  const value = holder[last];
  // An object that held nothing but the alias goes with it.
  for (let i = path.length - 1; i >= 0; i--) {
    Reflect.deleteProperty(parents[i], path[i]);
    if (Object.keys(parents[i]).length > 0) break;
  }
  return { value };
}

/** Moves keys of other frameworks to ours; a hint for each goes to `hint`. */
function applyAliases(config: JsonObject, hint: (message: string) => void): void {
  for (const [alias, key] of Object.entries(aliases)) {
    const found = takePath(config, alias.split('.'));
    if (!found) continue;
    if (valueAt(config, key.split('.')) !== undefined)
      throw configError(`Both "${alias}" and "${key}" are set; they are the same, keep "${key}"`);
    setPath(config, key.split('.'), found.value);
    hint(`${alias} is taken as ${key}; write ${key} to be clear`);
  }
}

/** An absolute path; relative ones count from the working directory, then from the package (its `models/`). */
function resolveInput(path: string): string {
  const here = resolve(path);
  const shipped = join(packageRoot, path);
  return !existsSync(here) && existsSync(shipped) ? shipped : here;
}

/** A path, or the id of a model of the hub where there is no such folder. */
function resolveModel(model: string): string {
  const path = resolveInput(model);
  return !existsSync(path) && parseHubId(model) !== null ? model : path;
}

function resolveSource(source: string): string {
  if (isGenerator(source)) return source;
  if (isUserCode(source)) return resolveUserCode(source);
  const path = resolveInput(source);
  return !existsSync(path) && isHubDataset(source) ? source : path;
}

function resolvePaths(config: TrainConfig): TrainConfig {
  // Rewards of sources call them as they were written.
  const named = everyPart(config.reward).some((part) => part.name === 'by-source' && part.column === undefined);
  const sources = (list: readonly DataSource[]): DataSource[] =>
    list.map((item) => {
      const source = resolveSource(item.source);
      return named && source !== item.source ? { name: item.source, ...item, source } : { ...item, source };
    });
  const { data } = config;
  for (const part of everyPart(config.reward)) if (part.name === 'custom') part.code = resolveUserCode(part.code);
  return {
    ...config,
    model: resolveModel(config.model),
    ...(config.referenceModel === undefined ? {} : { referenceModel: resolveModel(config.referenceModel) }),
    data: {
      ...data,
      train: sources(data.train),
      ...(data.evaluation === undefined ? {} : { evaluation: sources(data.evaluation) }),
      template: isUserCode(data.template) ? resolveUserCode(data.template) : data.template,
      // A chat template writes special tokens itself.
      addSpecialTokens: data.addSpecialTokens && data.template !== CHAT,
    },
    algorithm: {
      ...config.algorithm,
      name: isUserCode(config.algorithm.name) ? resolveUserCode(config.algorithm.name) : config.algorithm.name,
    },
    ...(config.environment?.code === undefined
      ? {}
      : { environment: { ...config.environment, code: resolveUserCode(config.environment.code) } }),
    critic: {
      ...config.critic,
      ...(config.critic.model === undefined ? {} : { model: resolveModel(config.critic.model) }),
    },
    output: resolve(config.output),
  };
}

/**
 * Checks a config, fills in the defaults and makes its paths absolute. The input is not changed.
 *
 * @param where Named in errors, e.g. the file.
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` naming the first wrong key and, where it is misspelt, the nearest valid one.
 */
export function resolveConfig(
  input: TrainConfigInput,
  where = 'the config',
  hint: (message: string) => void = () => undefined,
): TrainConfig {
  if (!isJsonObject(input)) throw configError(invalidType(where, 'a mapping of keys', input).message);
  const config = structuredClone(input) as JsonObject;
  applyAliases(config, hint);
  checkRemovedKeys(config, where);
  const written = applyPreset(config);
  const resolved = resolvePaths(withObjectiveDefaults(checkSchema(configSchema, written, where), written));
  checkEstimator(resolved, where);
  return resolved;
}

/** The formula knows which numerics and placements of the KL an estimator has. */
function checkEstimator(config: TrainConfig, where: string): void {
  try {
    advantageFormula(config);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw configError(`${error.message} in ${where}`, error);
  }
}

/** Parses `config` by any schema of ours; what is wrong with it becomes one sentence that ends in `where`. */
export function checkSchema<S extends z.ZodType>(schema: S, config: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw configError(`${describeIssue(parsed.error.issues[0], config, schema)} in ${where}`, parsed.error);
}

/** Parses YAML text into a mapping; an empty text is an empty one. */
export function parseYaml(text: string, where: string): JsonObject {
  const document = parseDocument(text, { prettyErrors: true });
  const [error] = document.errors;
  if (document.errors.length > 0)
    throw configError(`${where} is not valid YAML: ${error.message.split('\n')[0].replace(/:$/, '')}`, error);
  const value: unknown = document.toJS() ?? {};
  if (!isJsonObject(value))
    throw configError(
      `Expected a mapping of keys in ${where} but it holds ${Array.isArray(value) ? 'a list' : typeof value}`,
    );
  return value;
}

/** Applies `a.b=c` assignments, c read as YAML, to a copy of `config`. */
export function applyAssignments(config: JsonObject, assignments: readonly string[]): JsonObject {
  const changed = structuredClone(config);
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    const path = assignment.slice(0, Math.max(0, at)).trim().split('.');
    if (at < 1 || path.some((key) => key === ''))
      throw configError(`Expected key=value for --set but received ${JSON.stringify(assignment)}`);
    const document = parseDocument(assignment.slice(at + 1));
    if (document.errors.length > 0)
      throw configError(
        `The value of --set ${assignment} is not valid YAML: ${document.errors[0].message.split('\n')[0]}`,
      );
    setPath(changed, path, document.toJS());
  }
  return changed;
}

/** Reads a YAML file; one that is not there is looked for among those of the package (its `recipes/`). */
export function readYamlFile(file: string): JsonObject {
  let text: string;
  try {
    text = readFileSync(resolveInput(file), 'utf8');
  } catch (cause) {
    throw configError(
      `Cannot read the config ${file} (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'})`,
      cause,
    );
  }
  return parseYaml(text, file);
}
