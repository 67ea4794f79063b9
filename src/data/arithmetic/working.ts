/** Written working: one column at a time from the right, with carries or borrows, in three degrees of wordiness. */
import type { ArithmeticProblem } from './problems';
import type { RandomStream } from '../random';

/** `terse` notes the column sums only, `carry` names each carry, `wordy` names the place and the digit too. */
export type WorkingStyle = 'terse' | 'carry' | 'wordy';

interface Column {
  /** `7+5+6=18` */
  text: string;
  /** The digit (or, in the last column, the number) to write. */
  digit: number;
  /** Carried or borrowed by the next column; 0 in the last one. */
  carry: number;
}

const PLACES = ['ones', 'tens', 'hundreds'] as const;

/** Digits from the ones up. */
function digits(value: number): number[] {
  return Array.from(String(value), Number).reverse();
}

function additionColumns(operands: readonly number[], slipAt: number): Column[] {
  const rows = operands.map(digits);
  const width = Math.max(...rows.map((row) => row.length));
  const columns: Column[] = [];
  let carry = 0;
  for (let place = 0; place < width; place++) {
    const terms = rows.flatMap((row) => row[place] ?? []);
    if (carry > 0) terms.push(carry);
    const sum = terms.reduce((total, term) => total + term, 0) + (place === slipAt ? 1 : 0);
    const last = place === width - 1;
    carry = last ? 0 : Math.floor(sum / 10);
    columns.push({ text: `${terms.join('+')}=${sum}`, digit: last ? sum : sum % 10, carry });
  }
  return columns;
}

function subtractionColumns([a, b]: readonly number[], slipAt: number): Column[] {
  const top = digits(a);
  const bottom = digits(b);
  const columns: Column[] = [];
  let borrow = 0;
  for (let place = 0; place < top.length; place++) {
    const taken = [bottom[place], borrow || undefined].filter((value) => value !== undefined);
    const need = taken.reduce((total, value) => total + value, 0);
    borrow = top[place] < need ? 1 : 0;
    const from = top[place] + 10 * borrow;
    const digit = (from - need + (place === slipAt ? 1 : 0)) % 10;
    columns.push({ text: `${[from, ...taken].join('-')}=${digit}`, digit, carry: borrow });
  }
  return columns;
}

function multiplicationColumns([a, factor]: readonly number[], slipAt: number): Column[] {
  const row = digits(a);
  const columns: Column[] = [];
  let carry = 0;
  for (let place = 0; place < row.length; place++) {
    const product = row[place] * factor + carry + (place === slipAt ? 1 : 0);
    const last = place === row.length - 1;
    const text = `${row[place]}*${factor}${carry > 0 ? `+${carry}` : ''}=${product}`;
    carry = last ? 0 : Math.floor(product / 10);
    columns.push({ text, digit: last ? product : product % 10, carry });
  }
  return columns;
}

function describe(column: Column, place: number, style: WorkingStyle, verb: string): string {
  switch (style) {
    case 'terse':
      return column.text;
    case 'carry':
      return column.text + (column.carry > 0 ? ` ${verb} ${column.carry}` : '');
    case 'wordy':
      return `${PLACES[place]} ${column.text} write ${column.digit}${column.carry > 0 ? ` ${verb} ${column.carry}` : ''}`;
  }
}

export interface Working {
  text: string;
  /** What the columns add up to; wrong when a column slipped. */
  answer: number;
}

/** Works `problem` out; with probability `slip` one column is off by one and the error is carried on. */
export function workOut(problem: ArithmeticProblem, style: WorkingStyle, random: RandomStream, slip: number): Working {
  const { type, operands } = problem.operation;
  const width = Math.max(...operands.map((operand) => String(operand).length));
  const slipAt = random.chance(slip) ? random.integer(0, width - 1) : -1;
  const columns = { addition: additionColumns, subtraction: subtractionColumns, multiplication: multiplicationColumns }[
    type
  ](operands, slipAt);
  const verb = type === 'subtraction' ? 'borrow' : 'carry';
  const steps = columns.map((column, place) => describe(column, place, style, verb)).join(', ');
  const answer = columns.reduce((total, column, place) => total + column.digit * 10 ** place, 0);
  const sign = type === 'addition' ? '+' : '-';
  const isolate = problem.kind === 'equation' ? `x=${operands.join(sign)}. ` : '';
  return { text: isolate + steps, answer };
}
