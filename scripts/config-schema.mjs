/**
 * Writes config.schema.json and docs/config.md from the config's schema (as built in dist/) and the docstrings of its keys in
 * src/. `npm run config-schema`; with --check it writes nothing and fails where a file is out of date or a key has no
 * docstring.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = createRequire(import.meta.url);
const { configSchema } = built('../dist/training/config.js');
const { aliases } = built('../dist/training/load-config.js');
const { dependentKeys } = built('../dist/training/objective-defaults.js');
const { presets } = built('../dist/training/presets.js');
const { algorithmNames } = built('../dist/algorithms/index.js');

/** Initializers of the constants, and results of the arrow functions, of src/training. */
const declared = new Map();
for (const name of readdirSync(join(root, 'src/training')).filter((file) => !file.startsWith('pretrain'))) {
  const file = join(root, 'src/training', name);
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name: id, initializer } of statement.declarationList.declarations) {
      if (!initializer || !/Schema$|^rule$/.test(id.text)) continue;
      declared.set(id.text, ts.isArrowFunction(initializer) ? initializer.body : initializer);
    }
  }
}

/** The object literals of z.strictObject that an expression is made of. */
function objects(node) {
  if (ts.isIdentifier(node)) return declared.has(node.text) ? objects(declared.get(node.text)) : [];
  if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap(objects);
  if (ts.isAsExpression(node) || ts.isSpreadElement(node)) return objects(node.expression);
  if (!ts.isCallExpression(node)) return [];
  const { expression, arguments: given } = node;
  if (ts.isIdentifier(expression)) return objects(expression);
  if (!ts.isPropertyAccessExpression(expression)) return [];
  const { name, expression: inner } = expression;
  if (name.text === 'strictObject') return [given[0]];
  if (ts.isIdentifier(inner) && inner.text === 'z') return given.flatMap(objects);
  return objects(inner);
}

const docOf = (node) =>
  ts
    .getJSDocCommentsAndTags(node)
    .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();

const undocumented = [];

/** Copies docstrings of the literals into a JSON Schema. */
function describe(schema, literals, path = '') {
  if (schema.items) describe(schema.items, literals, path);
  if (schema.additionalProperties) describe(schema.additionalProperties, literals, `${path}.*`);
  for (const branch of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) describe(branch, literals, path);
  for (const [key, value] of Object.entries(schema.properties ?? {})) {
    const fits = literals.filter((literal) => {
      const keys = literal.properties.map((property) => property.name?.text);
      // Of the branches of a union, the one with the same name.
      const named = literal.properties.find((property) => property.name?.text === 'name');
      const constant = schema.properties.name?.const;
      return keys.includes(key) && (constant === undefined || named?.getText().includes(`'${constant}'`));
    });
    const property = fits[0]?.properties.find(({ name }) => name?.text === key);
    const here = path === '' ? key : `${path}.${key}`;
    const doc = property && docOf(property);
    if (doc) value.description = doc;
    else if (value.const === undefined && !value.properties) undocumented.push(here);
    if (property) describe(value, ts.isPropertyAssignment(property) ? objects(property.initializer) : [], here);
  }
}

const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
describe(schema, objects(declared.get('configSchema')));
const at = (path) => path.split('.').reduce((node, key) => node.properties[key], schema);
for (const key of dependentKeys) delete at(key).default;

const userCode = { type: 'string', pattern: '\\.[mc]?js(#|$)' };
const { name } = at('algorithm').properties;
at('algorithm').properties.name = { ...name, anyOf: [{ enum: algorithmNames }, userCode] };

const reward = at('reward');
const named = { enum: ['math', 'format', 'countdown'], description: 'The reward with its defaults.' };
/** A part may be its name alone; returns the kinds of parts that are objects. */
function takeNames(node) {
  const [list, part] = node.anyOf;
  list.items = { anyOf: [named, userCode, ...list.items.oneOf] };
  node.anyOf = [named, userCode, ...part.oneOf, list];
  return part.oneOf;
}
const parts = [...reward.anyOf[1].oneOf, ...reward.anyOf[0].items.oneOf];
for (const { properties } of parts.filter((part) => part.properties.name.const === 'by-source')) {
  takeNames(properties.rewards.additionalProperties);
  takeNames(properties.otherwise);
}
// A preset gives the name of its reward.
const ofPresets = new Set(Object.values(presets).map((preset) => preset.reward?.name));
const unnamed = takeNames(reward)
  .filter(({ properties }) => ofPresets.has(properties.name.const))
  .map(({ properties }) => ({
    type: 'object',
    properties: Object.fromEntries(Object.entries(properties).filter(([key]) => key !== 'name')),
    additionalProperties: false,
    description: 'Options of the reward of the preset.',
  }));
reward.anyOf.splice(-1, 0, ...unnamed);

/** Names of the presets that give the key `data.train`, or any reward. */
const presetsWith = (has) => Object.keys(presets).filter((preset) => has(presets[preset]));
const unlessPreset = (names, otherwise) => ({
  if: { properties: { preset: { enum: names } }, required: ['preset'] },
  else: otherwise,
});
const withData = presetsWith(({ data }) => data?.train !== undefined);
schema.required = schema.required.filter((key) => key !== 'data');
delete at('data').required;
schema.allOf = [
  unlessPreset(withData, { properties: { data: { required: ['train'] } }, required: ['data'] }),
  unlessPreset(
    presetsWith((preset) => preset.reward !== undefined),
    { properties: { reward: { if: { type: 'object' }, then: { required: ['name'] } } } },
  ),
];
for (const [alias, key] of Object.entries(aliases)) {
  const parents = alias.split('.');
  const last = parents.pop();
  let node = schema;
  for (const parent of parents) node = node.properties[parent] ??= { type: 'object', properties: {}, deprecated: true };
  node.properties[last] = { ...at(key), default: undefined, deprecated: true, description: `Is \`${key}\`.` };
}
schema.title = 'Configuration of a zero-rl training run';

const typeOf = ({ type, enum: values, const: constant, anyOf, oneOf, items, pattern }) => {
  if (constant !== undefined) return JSON.stringify(constant);
  if (values) return values.map((value) => JSON.stringify(value)).join(', ');
  if (pattern === userCode.pattern) return 'file of code';
  if (anyOf ?? oneOf) return [...new Set((anyOf ?? oneOf).map(typeOf))].join(' or ');
  if (type === 'array') return items && !Array.isArray(items) ? `list of ${typeOf(items)}` : 'list';
  return type ?? 'any';
};
const bounds = ({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }) =>
  [
    minimum !== undefined && minimum > -(2 ** 53) + 1 ? `≥ ${minimum}` : '',
    exclusiveMinimum === undefined ? '' : `> ${exclusiveMinimum}`,
    maximum !== undefined && maximum < 2 ** 53 - 1 ? `≤ ${maximum}` : '',
    exclusiveMaximum === undefined ? '' : `< ${exclusiveMaximum}`,
  ]
    .filter(Boolean)
    .join(', ');
const cell = (text) => text.replaceAll('|', '\\|');

/** The mappings that a value may be, or hold where it is a list; the same one once. */
function mappings({ anyOf, oneOf, items, properties, required }) {
  if (properties) return [{ properties, required }];
  const found = [...(anyOf ?? []), ...(oneOf ?? []), ...(items ? [items] : [])].flatMap(mappings);
  const seen = new Set();
  return found.filter((mapping) => {
    const text = JSON.stringify(mapping);
    return !seen.has(text) && seen.add(text);
  });
}

/** Keys that have to be set, and where not. */
const needed = { model: 'needed', 'data.train': `needed but with ${withData.map((name) => `\`${name}\``).join(', ')}` };

function rows(node, path, of = '') {
  return Object.entries(node.properties ?? {}).flatMap(([key, value]) => {
    const here = path === '' ? key : `${path}.${key}`;
    if (value.deprecated || value.const !== undefined) return [];
    if (value.properties) return rows(value, here);
    const range = bounds(value);
    const required = node.required?.includes(key) ? 'needed' : '';
    const fallback = value.default === undefined ? (needed[here] ?? required) : `\`${JSON.stringify(value.default)}\``;
    const row = `| \`${here}\` | ${cell(`${typeOf(value)}${range === '' ? '' : ` (${range})`}`)} | ${cell(fallback)} | ${cell(`${of}${value.description ?? ''}`)} |`;
    // Sources of held-out problems have the keys of those of `train`, rewards of other sources those of `reward`.
    const inner = ['data.evaluation', 'reward.otherwise'].includes(here) ? [] : mappings(value);
    const nested = inner.flatMap((mapping) => {
      const kind = mapping.properties.name?.const;
      if (key === 'reward' && kind === undefined) return [];
      return rows(mapping, here, kind === undefined ? '' : `Of \`${kind}\`: `);
    });
    return [row, ...nested];
  });
}

const markdown = `# Configuration of a training run

Every key of a config file, of \`--set\` and of the object given to \`train\`. Made by \`npm run config-schema\`; the same as JSON Schema is
\`config.schema.json\` in the package. A wrong key is an error that names the nearest one.

| Key | Type | Default | What it does |
|---|---|---|---|
${rows(schema, '').join('\n')}
`;

const style = await prettier.resolveConfig(join(root, 'config.schema.json'));
const files = [
  ['config.schema.json', await prettier.format(JSON.stringify(schema), { ...style, parser: 'json' })],
  ['docs/config.md', markdown],
];
if (process.argv.includes('--check')) {
  const stale = files.filter(([name, text]) => readFileSync(join(root, name), 'utf8') !== text).map(([name]) => name);
  if (stale.length > 0) console.error(`Out of date: ${stale.join(', ')}; run npm run config-schema`);
  if (undocumented.length > 0) console.error(`Without a docstring: ${undocumented.join(', ')}`);
  process.exitCode = stale.length + undocumented.length > 0 ? 1 : 0;
} else {
  for (const [name, text] of files) writeFileSync(join(root, name), text);
  if (undocumented.length > 0) console.error(`Without a docstring: ${undocumented.join(', ')}`);
}
