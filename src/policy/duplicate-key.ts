/** JSON.parse keeps the last of two equal keys without a word; safetensors headers must not have any. */

/** The first key that an object of this valid JSON text has twice, or null. */
export function findDuplicateKey(json: string): string | null {
  // Strings, whether one is a key (a colon follows), and the brackets that open and close scopes.
  const pattern = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]/gs;
  const scopes: Set<string>[] = [];
  for (const match of json.matchAll(pattern)) {
    const token = match[0];
    const colon = match[1] as string | undefined;
    if (token === '{') scopes.push(new Set());
    else if (token === '}') scopes.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const keys = scopes[scopes.length - 1];
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return null;
}
