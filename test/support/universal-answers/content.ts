/**
 * What a gold answer says beside its notation, as text: the numbers in it, the words, which ends are closed. The verifier lets an
 * answer leave out what docs/verifier.md lists (a unit, a percent or degree sign, a base, brackets, names of a record), so one
 * answer may equal two golds that differ in that alone. Two golds of different contents it must never equal.
 */
import { Budget, BudgetExceeded } from '../../../src/verifier/budget';
import { asAssignment } from '../../../src/verifier/compare/assignments';
import { hash32 } from '../../../src/verifier/numeric/hash';
import { childNodes } from '../../../src/verifier/exact/tree';
import { limits } from '../../../src/verifier/limits';
import type { Node } from '../../../src/verifier/node';
import { evaluateReal } from '../../../src/verifier/numeric/equal-expressions';
import { parseAnswer } from '../../../src/verifier/parse/parse-answer';

/** The letter of a choice before what it says. */
const LABEL = /^(?:\\(?:text(?:bf)?|mathbf|mathrm)\{)?\(?([A-E])(?:[).:]+\}?|\})(?:\\ |[ :])*(?=.)/;

const CHOICE = /^(?:option|choice|answer)? ?\(?([a-e])\)?$/;

/** Values of symbols, all positive, so that √(x²) is x. */
const VALUES = new Map(
  [...Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'), 'x_1', 'a_1', 'theta', "x'"].map((name) => [
    name,
    2 + (hash32(name, 7) % 9973) / 10_007,
  ]),
);

/** Six digits of a number, without its place: 28 and 0.28 are one, as are 90° and π/2. */
function digits(value: number): string {
  if (value === 0) return '0';
  const radians = Math.abs((value * 180) / Math.PI);
  const whole = Number.isInteger(Number(radians.toFixed(6))) ? Math.round(radians) : Math.abs(value);
  return whole
    .toExponential(5)
    .replace(/e.*|\./g, '')
    .replace(/0+$/, '');
}

function collect(node: Node, found: string[], budget: Budget): void {
  budget.spend(1);
  const choice = node.kind === 'text' ? CHOICE.exec(node.text)?.[1] : undefined;
  if (choice !== undefined) found.push(digits(VALUES.get(choice.toUpperCase())!));
  else if (node.kind === 'text')
    found.push(Number.isNaN(Number(node.text)) ? `"${node.text}"` : digits(Number(node.text)));
  else if (node.kind === 'namedSet') found.push(node.name);
  else if (node.kind === 'based') found.push(digits(Number(node.digits)));
  else if (node.kind === 'residue') collect(node.value, found, budget);
  else if (node.kind === 'clock') found.push(digits(node.parts[0] / node.parts[1]));
  else if (node.kind === 'ratio' && node.parts.length === 2) {
    const [numerator, denominator] = node.parts;
    collect({ kind: 'quotient', numerator, denominator }, found, budget);
  } else if (node.kind === 'interval') {
    if (node.lowerClosed) found.push('[');
    if (node.upperClosed) found.push(']');
    for (const end of [node.lower, node.upper]) collect(end, found, budget);
  } else {
    const value = evaluateReal(node, VALUES, budget);
    if (value !== null) found.push(digits(value));
    else if (node.kind === 'constant') found.push(node.name);
    else {
      const assignment = asAssignment(node);
      if (assignment) {
        collect(assignment.value, found, budget);
        return;
      }
      if (node.kind === 'relation') found.push(...node.operators.filter((operator) => /[≤≥≠]/.test(operator)));
      for (const child of childNodes(node)) collect(child, found, budget);
    }
  }
}

/** What each reading of an answer says; a quantity as it is written and in the units of its dimension. Empty where it cannot be read. */
export function contentsOf(answer: string): string[] {
  const budget = new Budget(limits.workUnits);
  try {
    const plain = answer.normalize('NFKC').replace(/^(?:[\s*$]|\\\[|\\\()+|(?:[\s*$.]|\\\]|\\\))+$/g, '');
    const letter = LABEL.exec(plain)?.[1];
    const labelled = letter === undefined ? [] : contentsOf(letter);
    const readings = parseAnswer(plain.replace(LABEL, ''), budget).flatMap((node) => {
      const found: string[] = [];
      collect(node, found, budget);
      const content = found.sort().join(' ');
      if (node.kind !== 'quantity' || node.unit.dimension === null) return [content];
      const value = evaluateReal(node.value, VALUES, budget);
      const scale = Number(node.unit.scale.numerator) / Number(node.unit.scale.denominator);
      return value === null ? [content] : [content, digits(value * scale)];
    });
    return [...labelled, ...readings];
  } catch (error) {
    if (!(error instanceof BudgetExceeded)) throw error;
    return [];
  }
}
