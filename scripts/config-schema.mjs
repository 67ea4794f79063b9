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
const { configSchema } = createRequire(import.meta.url)('../dist/training/config.js');

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

const schema = z.toJSONSchema(configSchema, { io: 'output', unrepresentable: 'any', reused: 'inline' });
describe(schema, objects(declared.get('configSchema')));
// What users write: keys with a default may be left out.
(function relax(node) {
  if (node.required) {
    node.required = node.required.filter((key) => node.properties[key].default === undefined);
    if (node.required.length === 0) delete node.required;
  }
  for (const value of Object.values(node.properties ?? {})) relax(value);
  for (const value of [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.items ? [node.items] : [])]) relax(value);
})(schema);
const inputSchema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
schema.required = inputSchema.required;
const rewards = schema.properties.reward;
rewards.anyOf = [
  { type: 'string', description: '`math`, `format` or another name, or `./my.mjs#name`.' },
  ...rewards.anyOf,
];
for (const branch of rewards.anyOf) if (branch.items) branch.items = { anyOf: [{ type: 'string' }, branch.items] };
schema.title = 'Configuration of a zero-rl training run';

const typeOf = ({ type, enum: values, const: constant, anyOf, oneOf, items }) => {
  if (constant !== undefined) return JSON.stringify(constant);
  if (values) return values.map((value) => JSON.stringify(value)).join(', ');
  if (anyOf ?? oneOf) return [...new Set((anyOf ?? oneOf).map(typeOf))].join(' or ');
  if (type === 'array') return items && !Array.isArray(items) ? `list of ${typeOf(items)}` : 'list';
  return type ?? 'any';
};
const bounds = ({ minimum, exclusiveMinimum, maximum }) =>
  [
    minimum !== undefined && minimum > -(2 ** 53) + 1 ? `≥ ${minimum}` : '',
    exclusiveMinimum === undefined ? '' : `> ${exclusiveMinimum}`,
    maximum !== undefined && maximum < 2 ** 53 - 1 ? `≤ ${maximum}` : '',
  ]
    .filter(Boolean)
    .join(', ');
const cell = (text) => text.replaceAll('|', '\\|');

function rows(node, path, required = node.required ?? []) {
  return Object.entries(node.properties ?? {}).flatMap(([key, value]) => {
    const here = path === '' ? key : `${path}.${key}`;
    if (value.properties) return rows(value, here);
    const range = bounds(value);
    const fallback =
      value.default === undefined ? (required.includes(key) ? 'needed' : '') : `\`${JSON.stringify(value.default)}\``;
    return [
      `| \`${here}\` | ${cell(`${typeOf(value)}${range === '' ? '' : ` (${range})`}`)} | ${cell(fallback)} | ${cell(value.description ?? '')} |`,
    ];
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
