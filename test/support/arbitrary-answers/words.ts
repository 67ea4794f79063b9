/** Choices, names, times of day, numbers in a base, quantities with units. */
import fc from 'fast-check';
import { family } from './family';
import { grouped } from './integers';

const LETTERS = ['A', 'B', 'C', 'D', 'E'];

const choiceForms = (letter: string): string[] => {
  const small = letter.toLowerCase();
  return [
    letter, `(${letter})`, `\\text{${letter}}`, `\\text{(${letter})}`, `(\\text{${letter}})`, `\\textbf{${letter}}`, `\\textbf{(${letter})}`, `\\mathrm{${letter}}`, `\\mathbf{${letter}}`, `\\mathbf{(${letter})}`, small, `(${small})`,
    `\\text{Option ${letter}}`, `Option ${letter}`, `Choice ${letter}`, `\\text{choice (${letter})}`, `${letter}.`, `${letter})`, `\\text{${small}}`, `\\textit{${letter}}`, `\\boxed{${letter}}`, `\\text{ ${letter} }`,
  ]; // prettier-ignore
};

export const choices = family('choices', {
  words: true,
  value: fc.constantFrom(...LETTERS),
  forms: choiceForms,
  near: (letter) => LETTERS.filter((other) => other !== letter),
});

/** `C. 12 cm` against its letter; what the choices say differs. */
export const labelled = family('choices with what they say', {
  words: true,
  value: fc.record({
    letter: fc.constantFrom(...LETTERS),
    text: fc.constantFrom<string[]>('12', '\\frac{3}{4}', 'x+1', '5\\text{ cm}', '\\text{none of these}', '1:3'),
  }),
  forms: ({ letter, text }) =>
    [
      ...choiceForms(letter).slice(0, 8),
      `${letter}. ${text}`,
      `(${letter}) ${text}`,
      `\\textbf{(${letter})} ${text}`,
      `\\text{(${letter})}\\ ${text}`,
      `\\textbf{(${letter})}\\ ${text}`,
    ].slice(0, 13),
  near: ({ letter, text }) =>
    LETTERS.filter((other) => other !== letter).map((other) => ({ letter: other, text: `7${text}` })),
});

const NAMES = [
  'Evelyn',
  'Monday',
  'red',
  'parallelogram',
  'Yes',
  'No',
  'True',
  'False',
  'even',
  'odd',
  'ellipse',
  'hyperbola',
  'north',
  'impossible',
  'New York',
  'Saturday',
  'isosceles',
  'Bob and Carl',
];

export const texts = family('words', {
  words: true,
  value: fc.constantFrom(...NAMES),
  forms: (name) => [
    name,
    name.toLowerCase(),
    `\\text{${name}}`,
    `\\text{${name.toLowerCase()}}`,
    `\\textbf{${name}}`,
    `\\mathrm{${name}}`.replace(/ /g, '~'),
    `\\text{ ${name} }`,
    `\\text{${name}.}`,
    `"${name}"`,
    `\\textit{${name}}`,
    `\\text{${name.toUpperCase()}}`,
    `\\mbox{${name}}`,
  ],
  near: (name) => NAMES.filter((other) => other !== name),
});

interface Time {
  hour: number;
  minute: number;
  afternoon: boolean;
}

const two = (n: number): string => String(n).padStart(2, '0');

export const times = family('times of day', {
  value: fc.record({
    hour: fc.integer({ min: 1, max: 12 }),
    minute: fc.integer({ min: 0, max: 59 }),
    afternoon: fc.boolean(),
  }),
  forms: ({ hour, minute, afternoon }: Time) => {
    const half = afternoon ? 'p' : 'a';
    const [clock, big] = [`${hour}:${two(minute)}`, half.toUpperCase()];
    const texts = [
      `${clock} ${half}.m.`, `${clock} ${big}M`, `${clock} ${big}.M.`, `${clock}\\text{ ${half}.m.}`, `${clock} \\text{ ${big}M}`, `${clock}\\,\\text{${half}.m.}`, `\\text{${clock} ${big}M}`, `\\text{${clock} ${half}.m.}`, `${clock}${half}m`, `${two(hour)}:${two(minute)} ${half}m`,
      `${clock} \\mathrm{${half}.m.}`, `${clock}\\ \\text{${half}m}`,
    ]; // prettier-ignore
    // Before noon the 24-hour clock reads like a time without am or pm, which may be either.
    if (afternoon && hour < 12) texts.push(`${hour + 12}:${two(minute)}`);
    return minute === 0
      ? [...texts, `${hour} ${half}.m.`, `${hour}\\text{ ${half}.m.}`, `${hour} ${big}M`, `${hour}${half}m`]
      : texts;
  },
  near: (time) => [
    { ...time, afternoon: !time.afternoon },
    { ...time, minute: (time.minute + 1) % 60 },
    { ...time, hour: (time.hour % 12) + 1 },
  ],
});

interface Based {
  value: number;
  base: number;
}

const BASES: Record<number, string> = { 2: 'two', 3: 'three', 5: 'five', 6: 'six', 7: 'seven', 8: 'eight', 9: 'nine' };

export const based = family('numbers in a base', {
  value: fc.record({ value: fc.integer({ min: 10, max: 9_999 }), base: fc.constantFrom(2, 3, 5, 6, 7, 8, 9) }),
  forms: ({ value, base }: Based) => {
    const digits = value.toString(base);
    return [
      `${digits}_${base}`,
      `${digits}_{${base}}`,
      `(${digits})_${base}`,
      `(${digits})_{${base}}`,
      `${digits}_{\\text{${BASES[base]}}}`,
      `0${digits}_{${base}}`,
      `\\text{${digits}}_{${base}}`,
      `${digits}₂`.replace('₂', '₀₁₂₃₄₅₆₇₈₉'.charAt(base)),
    ];
  },
  near: ({ value, base }) => [
    { value: value + 1, base },
    { value: value * base, base },
  ],
  wrong: ({ value, base }) => [
    `${value.toString(base)}_{${base === 9 ? 11 : base + 1}}`,
    `${Number(value.toString(base)) + 1}`,
  ],
});

interface Quantity {
  amount: number;
  unit: number;
}

/** Names of one unit, and how many of the next smaller one it has with its names. */
const UNITS: { names: string[]; smaller: [number, string[]] }[] = [
  {
    names: ['km', '\\text{ km}', '\\text{ kilometers}', '\\mathrm{km}', 'kilometers', '\\,\\text{km}'],
    smaller: [1000, ['\\text{ m}', '\\text{ meters}', 'meters']],
  },
  {
    names: ['\\text{ m}', '\\text{ meters}', 'meters', '\\text{ metres}', '\\mathrm{~m}'],
    smaller: [100, ['\\text{ cm}', 'cm', '\\text{ centimeters}']],
  },
  {
    names: ['\\text{ cm}^2', '\\text{ cm}^{2}', '\\text{ square centimeters}', '\\text{ sq cm}', 'cm^2', '\\text{cm²}'],
    smaller: [100, ['\\text{ mm}^2', '\\text{ square millimeters}']],
  },
  {
    names: ['\\text{ hours}', 'hours', '\\text{ h}', '\\text{ hr}', '\\text{ hrs}'],
    smaller: [60, ['\\text{ minutes}', 'minutes', '\\text{ min}']],
  },
  { names: ['\\text{ kg}', 'kg', '\\text{ kilograms}'], smaller: [1000, ['\\text{ g}', '\\text{ grams}', 'grams']] },
  {
    names: ['\\text{ feet}', 'feet', '\\text{ ft}', 'ft'],
    smaller: [12, ['\\text{ inches}', 'inches', '\\text{ in}']],
  },
  {
    names: ['\\text{ liters}', 'liters', '\\text{ L}', '\\text{ litres}'],
    smaller: [1000, ['\\text{ mL}', '\\text{ milliliters}', 'ml']],
  },
  {
    names: ['\\text{ m/s}', '\\text{ meters per second}', 'm/s', '\\text{ m}/\\text{s}'],
    smaller: [100, ['\\text{ cm/s}', '\\text{ cm per second}']],
  },
  { names: ['\\text{ weeks}', 'weeks'], smaller: [7, ['\\text{ days}', 'days']] },
];

export const quantities = family('quantities', {
  words: true,
  value: fc.record({ amount: fc.integer({ min: 1, max: 4_000 }), unit: fc.nat(UNITS.length - 1) }),
  forms: ({ amount, unit }: Quantity) => {
    const { names, smaller: [count, small] } = UNITS[unit]; // prettier-ignore
    const joined = (value: string, name: string): string => (/^[a-z]/.test(name) ? `${value} ${name}` : value + name);
    return [
      ...names.map((name) => joined(String(amount), name)), ...names.slice(0, 2).map((name) => joined(grouped(String(amount), ','), name)), joined(`${amount}.0`, names[0]), ...small.map((name) => joined(String(amount * count), name)),
      joined(`\\frac{${amount * 2}}{2}`, names[1]),
    ]; // prettier-ignore
  },
  near: ({ amount, unit }) => [{ amount: amount + 1, unit }],
  wrong: ({ amount, unit }) =>
    UNITS.filter((_, at) => ![unit, ...(unit < 2 ? [0, 1] : [])].includes(at)).map(
      ({ names }) => `${amount}${names[1].startsWith('\\') ? '' : ' '}${names[1]}`,
    ),
});

export const money = family('amounts of money', {
  value: fc
    .tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom(0, 0, 5, 25, 50))
    .map(([whole, cents]) => whole * 100 + cents),
  forms: (cents) => {
    const whole = Math.floor(cents / 100);
    const digits = (separator: string): string =>
      grouped(String(whole), separator) + (cents % 100 === 0 ? '' : `.${two(cents % 100)}`);
    const text = digits('');
    return [
      `\\$${text}`,
      `$${text}`,
      `\\$${digits(',')}`,
      `\\$ ${text}`,
      `${text} dollars`,
      `${text}\\text{ dollars}`,
      `\\$${text}${text.includes('.') ? '' : '.00'}`,
      text,
      digits(','),
      `${text} USD`,
      `\\text{\\$}${text}`,
      `\\$${digits('{,}')}`,
    ];
  },
  near: (cents) => [cents + 100, cents + 10, cents * 10],
  wrong: (cents) => [`${Math.floor(cents / 100) + 7}\\text{ cents}`],
});

export const angles = family('angles', {
  value: fc.integer({ min: 1, max: 719 }),
  forms: (degrees) => [
    `${degrees}^\\circ`,
    `${degrees}^{\\circ}`,
    `${degrees}°`,
    `${degrees}`,
    `${degrees}\\text{ degrees}`,
    `${degrees} degrees`,
    `${degrees}\\degree`,
    `${degrees}.0^\\circ`,
  ],
  near: (degrees) => [degrees + 1, degrees * 2],
  wrong: (degrees) => [`${degrees}\\pi`, `${degrees * 60}`],
});
