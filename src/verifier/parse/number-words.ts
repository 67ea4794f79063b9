/** Numbers written in English words: `twelve`, `forty-two`, `three hundred and five`, `two thirds`, `half`. */
import { add, multiply, rational, type Rational, zero } from '../exact/rational';

const SMALL: Record<string, number> = {
  zero: 0, one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, eleven: 11, twelve: 12,
  thirteen: 13, fourteen: 14, fifteen: 15, sixteen: 16, seventeen: 17, eighteen: 18, nineteen: 19, twenty: 20, thirty: 30,
  forty: 40, fifty: 50, sixty: 60, seventy: 70, eighty: 80, ninety: 90,
}; // prettier-ignore

/** Words that multiply the number before them. */
export const scales: Record<string, bigint> = {
  hundred: 100n, thousand: 1000n, million: 10n ** 6n, millions: 10n ** 6n, billion: 10n ** 9n, billions: 10n ** 9n, trillion: 10n ** 12n,
  dozen: 12n, 百: 100n, 千: 1000n, 万: 10n ** 4n, 亿: 10n ** 8n,
}; // prettier-ignore

const PARTS: Record<string, bigint> = {
  half: 2n, halves: 2n, third: 3n, thirds: 3n, quarter: 4n, quarters: 4n, fourth: 4n, fourths: 4n, fifth: 5n, fifths: 5n, sixth: 6n, sixths: 6n,
  seventh: 7n, sevenths: 7n, eighth: 8n, eighths: 8n, ninth: 9n, ninths: 9n, tenth: 10n, tenths: 10n, hundredth: 100n, hundredths: 100n,
}; // prettier-ignore

export const isNumberWord = (word: string): boolean =>
  Object.hasOwn(SMALL, word) || word === 'hundred' || word === 'half';

/** The words of a whole number, or null. */
function wholeNumber(words: readonly string[]): Rational | null {
  let total = zero;
  let current = 0;
  let last = Infinity;
  if (words.length === 0) return null;
  for (const [at, word] of words.entries()) {
    if (word === 'and' && at > 0 && at < words.length - 1) continue;
    if (Object.hasOwn(SMALL, word)) {
      const value = SMALL[word];
      // `twenty` may be followed by `two`, nothing else stands side by side.
      const fits = last === Infinity || (last >= 20 && last < 100 && value > 0 && value < 10) || last === 100;
      if (!fits) return null;
      current += value;
      last = value;
    } else if (word === 'hundred') {
      if (current === 0 || current > 99) return null;
      current *= 100;
      last = 100;
    } else if (Object.hasOwn(scales, word) && word !== 'dozen') {
      if (current === 0) return null;
      total = add(total, multiply(rational(BigInt(current)), rational(scales[word])));
      current = 0;
      last = Infinity;
    } else {
      return null;
    }
  }
  return add(total, rational(BigInt(current)));
}

/** The number that lower-case words say, or null. Hyphens count as spaces. */
export function numberFromWords(text: string): Rational | null {
  const words = text.split(/[\s-]+/).filter((word) => word !== '');
  if (words.length === 0 || words.length > 20) return null;
  const last = words[words.length - 1];
  if (words[0] === 'minus' || words[0] === 'negative') {
    const value = numberFromWords(words.slice(1).join(' '));
    return value && { ...value, numerator: -value.numerator };
  }
  if (Object.hasOwn(PARTS, last)) {
    const before = words.slice(0, -1);
    const and = before.lastIndexOf('and');
    // `two and a half`, `one and three quarters`
    if (and > 0) {
      const whole = wholeNumber(before.slice(0, and));
      const part = numberFromWords([...before.slice(and + 1), last].join(' '));
      return whole && part && add(whole, part);
    }
    const bare = (before.length === 0 && last === 'half') || before.join(' ') === 'a';
    const count = bare ? rational(1n) : wholeNumber(before);
    return count && multiply(count, rational(1n, PARTS[last]));
  }
  return wholeNumber(words);
}
