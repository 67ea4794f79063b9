/** An object as JSON and YAML have it. */
export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a key of the object's own; what every object inherits, as `constructor`, is none. */
export function ownValue(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets a key of the object's own. An assignment to `__proto__` would reach what all objects inherit from. */
export function setOwn(object: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The innermost values of an object under their paths `a.b.c`; lists and empty objects count as values. */
export function leavesOf(object: JsonObject, prefix = ''): [path: string, value: unknown][] {
  return Object.entries(object).flatMap(([key, value]): [string, unknown][] =>
    isJsonObject(value) && Object.keys(value).length > 0
      ? leavesOf(value, `${prefix}${key}.`)
      : [[`${prefix}${key}`, value]],
  );
}
