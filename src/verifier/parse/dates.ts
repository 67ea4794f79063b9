/** Days of the year in English: `March 5`, `5 March`, `March 5th, 2020`, `the 5th of March`. */
const MONTHS = 'january february march april may june july august september october november december'.split(' ');

const MONTH = '(jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)([a-z]*)\\.?';
const DAY = '(\\d{1,2})(?:st|nd|rd|th)?';
const YEAR = '(?:,? (\\d{4}))?';
const MONTH_FIRST = new RegExp(`^${MONTH} (?:the )?${DAY}${YEAR}$`);
const DAY_FIRST = new RegExp(`^(?:the )?${DAY} (?:of )?${MONTH}${YEAR}$`);

function monthOf(start: string, rest: string): string | null {
  const month = MONTHS.find((name) => name.startsWith(start.slice(0, 3)));
  return month !== undefined && (rest === '' || month === start + rest) ? month : null;
}

/** The day as `march 5` or `march 5 2020`; null for any other text, which is in lower case. */
export function dateOf(text: string): string | null {
  if (text.length > 30 || !/\d/.test(text)) return null;
  const first = MONTH_FIRST.exec(text);
  const second = first ? null : DAY_FIRST.exec(text);
  const [start, rest, day, year] = (first ? [1, 2, 3, 4] : [2, 3, 1, 4]).map((group) => (first ?? second)?.[group]);
  if (start === undefined || day === undefined || Number(day) < 1 || Number(day) > 31) return null;
  const month = monthOf(start, rest ?? '');
  return month && [month, String(Number(day)), ...(year === undefined ? [] : [year])].join(' ');
}
