/** Integers in digits, with separators of thousands, in other scripts and in words; powers of ten. */
import fc from 'fast-check';
import { family } from './family';

const SMALL = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve',
  'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen']; // prettier-ignore
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];

/** An integer from 0 to 999,999 in words. */
export function inWords(n: number): string {
  if (n < 20) return SMALL[n];
  if (n < 100) return TENS[Math.floor(n / 10)] + (n % 10 === 0 ? '' : `-${SMALL[n % 10]}`);
  const [unit, name] = n < 1000 ? [100, 'hundred'] : [1000, 'thousand'];
  const rest = n % unit;
  const joint = rest > 0 && rest < 100 && n % 2 === 0 ? ' and ' : ' ';
  return `${inWords(Math.floor(n / unit))} ${name}${rest === 0 ? '' : joint + inWords(rest)}`;
}

const fullWidth = (digits: string): string =>
  Array.from(digits, (digit) => String.fromCodePoint(0xff10 + Number(digit))).join('');

/** Groups of three digits from the right. */
export const grouped = (digits: string, separator: string): string =>
  digits.replace(/\B(?=(?:\d{3})+$)/g, separator.replace('$', '$$$$'));

/** Groups of two digits but for the last three: lakhs and crores. */
const indian = (digits: string): string => digits.replace(/\B(?=(?:\d{2})*\d{3}$)/g, ',');

const SEPARATORS = [',', '{,}', ',\\!', '\\!,', '\\,', '\\;', '\\ ', '~', "'", '_', ' ', '\u00a0', '\u2009', '\u202f'];

const magnitude = (n: bigint): bigint => (n < 0n ? -n : n);

/** The sign of n before its digits. */
const signed = (n: bigint, text: string): string => (n < 0n ? `-${text}` : text);

export function integerForms(n: bigint): string[] {
  const digits = String(magnitude(n));
  const plain = signed(n, digits);
  const texts = [
    plain,
    `${plain}.0`,
    `${plain}.00`,
    `${plain}.`,
    signed(n, `0${digits}`),
    signed(n, fullWidth(digits)),
  ];
  if (n < 0n)
    texts.push(`−${digits}`, `–${digits}`, `- ${digits}`, `－${digits}`, `(${plain})`, `-(${digits})`, `{-${digits}}`);
  else
    texts.push(
      `+${digits}`,
      `{${digits}}`,
      `\\text{${digits}}`,
      `\\mathbf{${digits}}`,
      `\\textbf{${digits}}`,
      `\\boxed{${digits}}`,
    );
  if (digits.length > 3) texts.push(...SEPARATORS.map((separator) => signed(n, grouped(digits, separator))));
  if (digits.length > 5) texts.push(signed(n, indian(digits)));
  if (digits.length > 6) texts.push(signed(n, grouped(digits, '.')));
  if (digits.length < 6) {
    const words = inWords(Number(digits));
    if (n < 0n) texts.push(`negative ${words}`, `minus ${words}`, `\\text{negative ${words}}`);
    else
      texts.push(words, `\\text{${words}}`, words.charAt(0).toUpperCase() + words.slice(1), words.replaceAll('-', ' '));
  }
  const zeros = digits.length - digits.replace(/0+$/, '').length;
  if (n !== 0n && zeros >= 6) {
    const millions = grouped(String(magnitude(n) / 1_000_000n), ',');
    texts.push(signed(n, `${millions} million`), signed(n, `${millions}\\text{ million}`));
  }
  return texts;
}

const integer = fc.oneof(
  fc.bigInt({ min: -99n, max: 99n }),
  fc.bigInt({ min: -9_999n, max: 999_999n }),
  fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
  fc.bigInt({ min: 10n ** 15n, max: 10n ** 40n }),
  fc
    .tuple(fc.bigInt({ min: 1n, max: 9_999n }), fc.integer({ min: 0, max: 12 }))
    .map(([n, zeros]) => n * 10n ** BigInt(zeros)),
);

export const integers = family('integers', {
  value: integer,
  forms: integerForms,
  near: (n) => [n + 1n, n - 1n, n * 10n + 1n, ...(n === 0n ? [] : [-n, n * 10n, n / 10n])],
  wrong: (n) => [`${n}.1`, `${n}.5`, `${n}+1`, `\\frac{${n}}{7}+1`, `${n}x+1`, `\\sqrt{${n}}+i`],
});

/** mantissa · 10^exponent, the mantissa an integer that does not end in 0. */
interface Scientific {
  mantissa: bigint;
  exponent: number;
}

/** The digits of the mantissa with a point after the first `places`. */
function pointed(digits: string, places: number): string {
  const whole = digits.slice(0, places);
  const fraction = digits.slice(places);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

function scientificForms({ mantissa, exponent }: Scientific): string[] {
  const digits = String(magnitude(mantissa));
  const signs = (text: string): string => signed(mantissa, text);
  const texts: string[] = [];
  for (const places of digits.length === 1 ? [1] : [1, 2]) {
    const head = signs(pointed(digits, places));
    const power = exponent + digits.length - places;
    const superscript = Array.from(String(power), (digit) => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt('-0123456789'.indexOf(digit))).join(
      '',
    );
    texts.push(
      `${head} \\times 10^{${power}}`, `${head}\\cdot 10^{${power}}`, `${head} \\cdot 10^{${power}}`, `${head} * 10^${power}`, `${head}e${power}`,
      `${head}E${power}`, `${head} × 10^${power}`, `${head}×10${superscript}`, `${head} x 10^${power}`, `10^{${power}}\\times ${head.startsWith('-') ? `(${head})` : head}`,
      `${head}\\times{10}^{${power}}`,
    ); // prettier-ignore
    if (power >= 0)
      texts.push(
        `${head}e+${power}`,
        `${head}E+${String(power).padStart(2, '0')}`,
        `${head}\\times 10^${power < 10 ? power : `{${power}}`}`,
      );
    else
      texts.push(
        `\\frac{${head}}{10^{${-power}}}`,
        `${head}/10^{${-power}}`,
        `${head}\\times\\frac{1}{10^{${-power}}}`,
      );
  }
  if (exponent >= 0)
    texts.push(signs(digits + '0'.repeat(exponent)), signs(grouped(digits + '0'.repeat(exponent), ',')));
  else {
    const padded = digits.padStart(1 - exponent, '0');
    texts.push(signs(pointed(padded, padded.length + exponent)), `\\frac{${mantissa}}{1${'0'.repeat(-exponent)}}`);
  }
  return texts;
}

export const scientific = family('numbers with powers of ten', {
  value: fc.record({
    mantissa: fc.bigInt({ min: -999n, max: 9_999n }).filter((n) => n % 10n !== 0n),
    exponent: fc.integer({ min: -15, max: 20 }),
  }),
  forms: scientificForms,
  near: ({ mantissa, exponent }) => [
    { mantissa, exponent: exponent + 1 },
    { mantissa, exponent: exponent - 1 },
    { mantissa: -mantissa, exponent },
    { mantissa: mantissa * 10n + 1n, exponent: exponent - 1 },
    ...(mantissa % 10n === 9n || mantissa === -1n ? [] : [{ mantissa: mantissa + 1n, exponent }]),
  ],
});
