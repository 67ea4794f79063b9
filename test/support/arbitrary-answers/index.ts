/** Every family of answers. */
import { assignments, lists, matrices, plusMinus, sets, tuples } from './collections';
import { irrationals } from './decimals';
import type { Family } from './family';
import { identities } from './identities';
import { integers, scientific } from './integers';
import { factored, polynomials, twoSymbols } from './polynomials';
import { complexNumbers, radicals, surds } from './radicals';
import { percents, rationals, ratios } from './rationals';
import { circles, lines, named } from './relations';
import { intervals, outsides } from './sets';
import { angles, based, choices, labelled, money, quantities, texts, times } from './words';

export { approximated, decimalsBeside, decimalsOf, irrationals } from './decimals';
export type { Answers, Family } from './family';

export const families: readonly Family[] = [
  integers, scientific, rationals, percents, ratios, irrationals, radicals, surds, complexNumbers, polynomials, factored, twoSymbols, identities, intervals, outsides,
  sets, lists, tuples, assignments, matrices, plusMinus, lines, circles, named, choices, labelled, texts, times, based, quantities, money, angles,
]; // prettier-ignore
