/** `5 ft 3 in`, `1h 30m`, `2 kg 300 g` outside TeX: a measure in ever smaller units of one dimension. */
import { compare } from '../exact/rational';
import { readUnit, type Unit } from './units';

const PART = /(\d+(?:\.\d+)?(?:(?: \d+)?\/\d+)?) ?([A-Za-z]{1,12})(?![A-Za-z])\.? ?(?:and )?/y;

/** No measure has more parts: `3 yd 2 ft 5 in`, `1 day 2 h 3 min 4 s`. */
const MOST_PARTS = 5;

/** The text with its units marked as such; null for any other text. */
export function withMarkedUnits(text: string): { text: string; parts: number } | null {
  let marked = '';
  let last: Unit | null = null;
  PART.lastIndex = 0;
  for (let parts = 1; ; parts++) {
    const start = PART.lastIndex;
    const part = PART.exec(text);
    if (!part || parts > MOST_PARTS) return null;
    // Minutes behind hours: `1h 30m`.
    const name: string = part[2] === 'm' && last?.name === 'hour' ? 'min' : part[2];
    const unit = readUnit(name);
    if (!unit?.dimension) return null;
    if (last && (unit.dimension !== last.dimension || compare(unit.scale, last.scale) >= 0)) return null;
    last = unit;
    marked += `${part[1]}\\text{ ${name} }`;
    if (start + part[0].length === text.length) return { text: marked, parts };
  }
}
