/**
 * Several statements in one answer. `x = 3, y = -2` is a record: against another record it compares by name, against a bare list
 * or tuple in the order of the alphabet or, unless the names are x, y, z or the like, as written. `x = 1, x = 2` and `x = 1, 2`
 * are several values of one name, without order, and `p = 5, q = 2; p = 7, q = 2` several records.
 */
import { StructureTable } from '../exact/structure';
import type { Node } from '../node';
import { asAssignment, type Assignment, compareAssignments } from './assignments';
import { compareNodes } from './compare-nodes';
import { type Decision, some } from './decision';
import { coverEachOther, matchUnordered } from './matching';
import { isSameName } from './names';
import type { CompareContext } from './types';

/** `(x, y) = (3, -2)` as two statements. */
function split(assignment: Assignment): Assignment[] {
  const { name, value } = assignment;
  if (name.kind !== 'tuple' || value.kind !== 'tuple' || name.items.length !== value.items.length) return [assignment];
  return name.items.map((item, index) => ({ name: item, value: value.items[index] }));
}

const STATEMENTS = new Set(['relation', 'membership', 'text', 'list']);

/** Statements of a list; bare values after the first statement belong to its name. Null where something else is in it. */
export function readStatements(node: Node): Assignment[] | null {
  if (node.kind !== 'list') {
    const assignment = asAssignment(node);
    return assignment && split(assignment);
  }
  const first = node.items.length > 0 ? asAssignment(node.items[0]) : null;
  if (first === null) return null;
  const bare = node.items.slice(1).every(({ kind }) => !STATEMENTS.has(kind));
  const statements: Assignment[] = [];
  for (const item of node.items) {
    const assignment = asAssignment(item) ?? (bare ? { name: first.name, value: item } : null);
    if (assignment === null) return null;
    statements.push(...split(assignment));
  }
  return statements;
}

/** Statements cut into records where the first name comes again. Null for a single statement and for no statements. */
function readRecords(node: Node, context: CompareContext): Assignment[][] | null {
  const statements = readStatements(node);
  if (statements === null || statements.length < 2) return null;
  const table = new StructureTable(context.budget);
  const start = table.id(statements[0].name);
  const records: Assignment[][] = [];
  for (const statement of statements) {
    if (table.id(statement.name) === start) records.push([statement]);
    else records.at(-1)!.push(statement);
  }
  return records.every(({ length }) => length === records[0].length) ? records : null;
}

function compareRecord(a: Assignment[], b: Assignment[], context: CompareContext): Decision {
  return matchUnordered(
    a,
    b,
    (x, y) => {
      if (a.length > 1 && !isSameName(x.name, y.name, context)) return 'different';
      return compareAssignments(x, y, context) ?? 'different';
    },
    context,
  );
}

const nameOf = (name: Node): string => (name.kind === 'symbol' ? name.name : '');

/** x₁, x₂, ...: values of one unknown, whose numbering is arbitrary. */
function isEnumeration(record: Assignment[]): boolean {
  const [stem] = nameOf(record[0].name).split('_');
  return record.every(({ name }) => /^[A-Za-z]+_\d+$/.test(nameOf(name)) && nameOf(name).startsWith(`${stem}_`));
}

const values = (record: Assignment[]): Node[] => record.map(({ value }) => value);

const tuple = (items: Node[]): Node => ({ kind: 'tuple', items, brackets: '()' });

const list = (items: Node[]): Node => ({ kind: 'list', items, or: false });

function alphabetical(record: Assignment[]): Assignment[] {
  if (record.some(({ name }) => name.kind !== 'symbol')) return record;
  return [...record].sort((a, b) => (nameOf(a.name) < nameOf(b.name) ? -1 : 1));
}

/** x, y, z; a, b; p, q: names whose usual order everybody knows, so that (1, 2) is no way to say y = 1, x = 2. */
function isFamily(record: Assignment[]): boolean {
  const names = alphabetical(record).map(({ name }) => nameOf(name));
  return names.every((name, index) => /^[a-z]$/.test(name) && name.charCodeAt(0) === names[0].charCodeAt(0) + index);
}

/** What records may look like without their names. */
function withoutNames(records: Assignment[][]): Node[] {
  if (records[0].length === 1) return [list(records.flatMap(values))];
  const sorted = records.map(alphabetical);
  const orders = (isFamily(records[0]) ? [sorted] : [records, sorted]).map((ordered) => {
    const tuples = ordered.map((record) => tuple(values(record)));
    return tuples.length === 1 ? tuples[0] : list(tuples);
  });
  if (records.length === 1 && isEnumeration(records[0])) orders.push(list(values(records[0])));
  return orders;
}

/** The statement `x = 3` as a list with one record, where the other side has records. */
function singleRecord(node: Node): Assignment[][] | null {
  const assignment = asAssignment(node);
  return assignment && [[assignment]];
}

/** Null where neither side is made of several statements. */
export function compareRecords(a: Node, b: Node, context: CompareContext): Decision | null {
  const [left, right] = [readRecords(a, context), readRecords(b, context)];
  if (left === null && right === null) return null;
  const [others, records] = left === null ? [a, right!] : [b, left];
  const second = left === null || right === null ? singleRecord(others) : right;
  if (second !== null) return coverEachOther(records, second, (x, y) => compareRecord(x, y, context), context);
  return some(withoutNames(records), (bare) => compareNodes(bare, others, context));
}
