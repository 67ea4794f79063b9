#!/usr/bin/env node
// Checks the form of every case file in this folder and prints how many cases each has.
// Run: node test/verifier-cases/check.mjs
import { readdirSync } from 'node:fs';
import { readCases } from './read.mjs';

const folder = new URL('.', import.meta.url).pathname;
const fields = new Set(
  'id gold goldGenerator completion completionGenerator expected alsoAccept kind note line'.split(' '),
);
const verdicts = [true, false, null];
const problems = [];
const ids = new Map();
const texts = new Map();
const table = [];

for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl'))) {
  const rows = readCases(folder + file);
  for (const row of rows) {
    const report = (text) => problems.push(`${file}:${row.line} ${row.id}: ${text}`);
    const unknown = Object.keys(row).filter((key) => !fields.has(key));
    if (unknown.length > 0) report(`unknown field ${unknown.join(', ')}`);
    if (!/^[a-z]{3}-\d{3}$/.test(row.id)) report('the id is not of the form abc-001');
    if (ids.has(row.id)) report(`the id is also in ${ids.get(row.id)}`);
    ids.set(row.id, file);
    if (typeof row.gold !== 'string' || typeof row.completion !== 'string') report('gold or completion is not text');
    if (!verdicts.includes(row.expected)) report('expected is not true, false or null');
    const also = row.alsoAccept ?? [];
    if (!also.every((verdict) => verdicts.includes(verdict) && verdict !== row.expected)) report('alsoAccept is wrong');
    if (typeof row.kind !== 'string' || row.kind === '') report('kind is missing');
    if ('note' in row && (typeof row.note !== 'string' || row.note === '')) report('an empty note');
    if (!file.startsWith('attacks') && also.length > 0) report('alsoAccept is for attacks only');
    const text = JSON.stringify([row.gold, row.completion].map((part) => part.slice(0, 1000) + part.length));
    if (texts.has(text) && !row.goldGenerator && !row.completionGenerator) report(`repeats ${texts.get(text)}`);
    texts.set(text, row.id);
  }
  const count = (verdict) => rows.filter((row) => row.expected === verdict).length;
  table.push({
    file,
    cases: rows.length,
    true: count(true),
    false: count(false),
    null: count(null),
    kinds: new Set(rows.map((row) => row.kind)).size,
  });
}

console.table(table);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
