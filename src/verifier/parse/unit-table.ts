/**
 * The units that `readUnit` knows. A row is a unit: canonical name, dimension, size in SI units (currencies: in the main
 * coin), words in lower case, symbols whose case counts, and metric prefixes. Units that cannot be converted exactly stand in a
 * dimension of their own: months against days, °C against °F, one currency against another. A dimension of null marks what
 * names no certain measure: `units`, `tons`, `¥`.
 */
import { multiply, rational, type Rational } from '../exact/rational';

/** Exponents by base dimension, e.g. length 1, time -1. */
export type Dimension = ReadonlyMap<string, number>;

export interface UnitEntry {
  name: string;
  dimension: Dimension | null;
  scale: Rational;
}

/** Canonical name, dimension, scale, words; then symbols and the prefixes that words and symbols take. */
type Row = [string, string | null, string, string, string?, string?];

const METRIC = 'kilo centi milli deci deca hecto micro nano mega giga tera';

const rows: Row[] = [
  ['meter', 'length', '1', 'meter meters metre metres 米', 'm', METRIC],
  ['kilometer', 'length', '1000', 'kms 千米 公里'],
  ['decimeter', 'length', '1/10', '分米'],
  ['centimeter', 'length', '1/100', 'cms 厘米 公分'],
  ['millimeter', 'length', '1/1000', '毫米'],
  ['inch', 'length', '0.0254', 'inch inches 英寸', 'in'],
  ['foot', 'length', '0.3048', 'foot feet 英尺', 'ft'],
  ['yard', 'length', '0.9144', 'yard yards yds 码', 'yd'],
  ['mile', 'length', '1609.344', 'mile miles 英里', 'mi'],
  ['nautical mile', 'length', '1852', 'nautical_mile nautical_miles 海里', 'nmi'],
  ['light-year', 'length', '9460730472580800', 'light_year light_years lightyear lightyears'],
  ['acre', 'length^2', '4046.8564224', 'acre acres 英亩'],
  ['hectare', 'length^2', '10000', 'hectare hectares 公顷', 'ha'],
  ['liter', 'length^3', '1/1000', 'liter liters litre litres 升', 'l L', METRIC],
  ['milliliter', 'length^3', '1/1000000', '毫升', 'cc'],
  ['gallon', 'length^3', '0.003785411784', 'gallon gallons', 'gal'],
  ['quart', 'length^3', '0.000946352946', 'quart quarts', 'qt'],
  ['pint', 'length^3', '0.000473176473', 'pint pints'],
  ['cup', 'length^3', '0.0002365882365', 'cup cups'],
  ['fluid ounce', 'length^3', '0.0000295735295625', 'fluid_ounce fluid_ounces fl_oz', 'floz'],
  ['tablespoon', 'length^3', '0.00001478676478125', 'tablespoon tablespoons', 'tbsp'],
  ['teaspoon', 'length^3', '0.00000492892159375', 'teaspoon teaspoons', 'tsp'],
  ['gram', 'mass', '1/1000', 'gram grams gramme grammes 克', 'g', METRIC],
  ['kilogram', 'mass', '1', 'kilo kilos kgs 千克 公斤'],
  ['catty', 'mass', '1/2', '斤'],
  ['tonne', 'mass', '1000', 'tonne tonnes metric_ton metric_tons'],
  ['ton', null, '1', 'ton tons 吨'],
  ['ounce', 'mass', '0.028349523125', 'ounce ounces', 'oz'],
  ['pound', 'mass', '0.45359237', 'pound pounds lbs', 'lb'],
  ['second', 'time', '1', 'second seconds secs 秒 秒钟', 's sec', 'milli micro nano'],
  ['minute', 'time', '60', 'minute minutes mins 分钟', 'min'],
  ['hour', 'time', '3600', 'hour hours hrs 小时 时', 'h hr'],
  ['day', 'time', '86400', 'day days 天 日'],
  ['week', 'time', '604800', 'week weeks wk wks 周 星期'],
  ['month', 'calendar', '1', 'month months 月 个月'],
  ['year', 'calendar', '12', 'year years yr yrs 年 years_old year_old'],
  ['decade', 'calendar', '120', 'decade decades'],
  ['century', 'calendar', '1200', 'century centuries'],
  ['mile·hour^-1', 'length time^-1', '0.44704', 'mph'],
  ['mile·gallon^-1', 'length^-2', '1609344/3.785411784', 'mpg'],
  ['kilometer·hour^-1', 'length time^-1', '5/18', 'kph kmh kmph'],
  ['meter·second^-1', 'length time^-1', '1', 'mps'],
  ['knot', 'length time^-1', '1852/3600', 'knot knots'],
  ['newton', 'mass length time^-2', '1', 'newton newtons', 'N', 'kilo milli mega'],
  ['joule', 'mass length^2 time^-2', '1', 'joule joules', 'J', 'kilo milli mega giga'],
  ['calorie', 'mass length^2 time^-2', '4.184', 'calorie calories', 'cal', 'kilo'],
  ['electronvolt', 'mass length^2 time^-2', '0.0000000000000000001602176634', 'electronvolt electronvolts', 'eV', 'kilo mega giga'],
  ['watt', 'mass length^2 time^-3', '1', 'watt watts', 'W', 'kilo milli mega giga'],
  ['kilowatt-hour', 'mass length^2 time^-2', '3600000', 'kilowatt_hour kilowatt_hours kilowatthour kilowatthours', 'kWh'],
  ['horsepower', 'horsepower', '1', 'horsepower', 'hp'],
  ['pascal', 'mass length^-1 time^-2', '1', 'pascal pascals', 'Pa', 'kilo mega hecto'],
  ['atmosphere', 'mass length^-1 time^-2', '101325', 'atmosphere atmospheres', 'atm'],
  ['bar', 'mass length^-1 time^-2', '100000', '', 'bar', 'milli'],
  ['hertz', 'time^-1', '1', 'hertz', 'Hz', 'kilo mega giga'],
  ['rpm', 'rpm', '1', 'rpm'],
  ['ampere', 'current', '1', 'ampere amperes amp amps', 'A', 'milli micro kilo'],
  ['volt', 'mass length^2 time^-3 current^-1', '1', 'volt volts', 'V', 'milli micro kilo'],
  ['ohm', 'mass length^2 time^-3 current^-2', '1', 'ohm ohms', 'Ω', 'kilo mega'],
  ['coulomb', 'time current', '1', 'coulomb coulombs', '', 'milli micro nano'],
  ['farad', 'mass^-1 length^-2 time^4 current^2', '1', 'farad farads', '', 'micro nano'],
  ['tesla', 'mass time^-2 current^-1', '1', 'tesla teslas', '', 'milli'],
  ['mole', 'amount', '1', 'mole moles', 'mol', 'milli'],
  ['kelvin', 'kelvin', '1', 'kelvin kelvins', 'K'],
  ['degree Celsius', 'celsius', '1', 'celsius degree_celsius degrees_celsius degree_c degrees_c deg_c centigrade degrees_centigrade 摄氏度', '°C ℃'],
  ['degree Fahrenheit', 'fahrenheit', '1', 'fahrenheit degree_fahrenheit degrees_fahrenheit degree_f degrees_f deg_f', '°F ℉'],
  ['radian', 'angle', '1', 'radian radians', 'rad'],
  ['bit', 'information', '1', 'bit bits', '', 'kilo mega giga'],
  ['byte', 'information', '8', 'byte bytes', '', 'kilo mega giga tera'],
  ['dollar', 'dollar', '1', 'dollar dollars usd us_dollar us_dollars', '$'],
  ['cent', 'dollar', '1/100', 'cent cents', '¢'],
  ['euro', 'euro', '1', 'euro euros eur', '€'],
  ['pound sterling', 'sterling', '1', 'pound_sterling pounds_sterling gbp', '£'],
  ['penny', 'sterling', '1/100', 'pence'],
  ['yuan', 'yuan', '1', 'yuan rmb cny 元 块 人民币'],
  ['jiao', 'yuan', '1/10', 'jiao 角'],
  ['yen', 'yen', '1', 'yen jpy 日元'],
  ['¥', null, '1', '', '¥ ￥'],
  ['rupee', 'rupee', '1', 'rupee rupees inr rs', '₹'],
  ['won', 'won', '1', 'krw 韩元', '₩'],
  ['ruble', 'ruble', '1', 'ruble rubles rouble roubles', '₽'],
  ['franc', 'franc', '1', 'franc francs'],
  ['peso', 'peso', '1', 'peso pesos'],
  ['forint', 'forint', '1', 'forint forints'],
  ['unit', null, '1', 'unit units 单位'],
]; // prettier-ignore

const prefixes: Record<string, { symbols: string[]; factor: [bigint, bigint] }> = {
  kilo: { symbols: ['k'], factor: [1000n, 1n] },
  mega: { symbols: ['M'], factor: [10n ** 6n, 1n] },
  giga: { symbols: ['G'], factor: [10n ** 9n, 1n] },
  tera: { symbols: ['T'], factor: [10n ** 12n, 1n] },
  hecto: { symbols: ['h'], factor: [100n, 1n] },
  deca: { symbols: ['da'], factor: [10n, 1n] },
  deci: { symbols: ['d'], factor: [1n, 10n] },
  centi: { symbols: ['c'], factor: [1n, 100n] },
  milli: { symbols: ['m'], factor: [1n, 1000n] },
  micro: { symbols: ['μ', 'µ', 'u'], factor: [1n, 10n ** 6n] },
  nano: { symbols: ['n'], factor: [1n, 10n ** 9n] },
};

/** `1609.344`, `5/18`. */
function readScale(text: string): Rational {
  const [numerator, denominator = '1'] = text.split('/').map((part) => {
    const [whole, fraction = ''] = part.split('.');
    return rational(BigInt(whole + fraction), 10n ** BigInt(fraction.length));
  });
  if (typeof denominator === 'string') return numerator;
  return multiply(numerator, rational(denominator.denominator, denominator.numerator));
}

function readDimension(text: string): Dimension {
  return new Map(
    text.split(' ').map((factor): [string, number] => {
      const [name, exponent = '1'] = factor.split('^');
      return [name, Number(exponent)];
    }),
  );
}

const list = (text: string | undefined): string[] => (text ? text.split(' ') : []);

const words = new Map<string, UnitEntry>();
const symbols = new Map<string, UnitEntry>();

for (const [name, dimension, scale, wordList, symbolList, prefixList] of rows) {
  const entry = { name, dimension: dimension === null ? null : readDimension(dimension), scale: readScale(scale) };
  const plain = list(wordList).map((word) => word.replaceAll('_', ' '));
  for (const word of plain) words.set(word, entry);
  for (const symbol of list(symbolList)) symbols.set(symbol, entry);
  for (const prefix of list(prefixList)) {
    const { symbols: letters, factor } = prefixes[prefix];
    const prefixed = { ...entry, name: prefix + name, scale: multiply(entry.scale, rational(...factor)) };
    for (const word of plain) if (/^[a-z]/.test(word)) words.set(prefix + word, prefixed);
    for (const letter of letters) {
      for (const symbol of list(symbolList)) if (symbol !== 'sec') symbols.set(letter + symbol, prefixed);
    }
  }
}

/**
 * The unit of one name: a word in any case, or a symbol; symbols of two letters and more are also found in another case
 * (`KM`, `Kg`), single letters only as they are.
 */
export function lookUpUnit(text: string): UnitEntry | undefined {
  const lower = text.toLowerCase();
  return symbols.get(text) ?? words.get(lower) ?? (text.length > 1 ? symbols.get(lower) : undefined);
}
