/** JSON as Python's json module reads and writes it: with NaN, Infinity and -Infinity, which JSON does not have. */

const MARK = '\u0000number ';
const named: Record<string, number> = { NaN, Infinity, '-Infinity': -Infinity };

/** @throws SyntaxError as JSON.parse */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (token) =>
      token.startsWith('"') ? token : JSON.stringify(MARK + token),
    );
    if (marked === text) throw error;
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(MARK) ? named[value.slice(MARK.length)] : value,
    );
  }
}

/** Undefined where JSON.stringify gives that. */
export function stringifyPythonJson(value: unknown, space?: number): string | undefined {
  const marked = JSON.stringify(
    value,
    (_, item: unknown) => (typeof item === 'number' && !Number.isFinite(item) ? MARK + String(item) : item),
    space,
  ) as string | undefined;
  return marked?.replace(/"\\u0000number (NaN|-?Infinity)"/g, '$1');
}
