/** An object as JSON and YAML have it. */
export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The innermost values of an object under their paths `a.b.c`; lists and empty objects count as values. */
export function leavesOf(object: JsonObject, prefix = ''): [path: string, value: unknown][] {
  return Object.entries(object).flatMap(([key, value]): [string, unknown][] =>
    isJsonObject(value) && Object.keys(value).length > 0
      ? leavesOf(value, `${prefix}${key}.`)
      : [[`${prefix}${key}`, value]],
  );
}
