/** What one verdict may cost. Beyond these an answer is refused with reason `budget`, before the work is done. */
export const limits = {
  /** Work units of one verdict (about a microsecond of a slow core each). */
  workUnits: 22_000,
  /** Characters of one stated answer. */
  answerCharacters: 120_000,
  /** Nodes of one parsed answer. */
  nodes: 11_000,
  /** Nesting: levels of the grammar, of which a pair of brackets takes about six. */
  depth: 400,
  /** Digits of one number as written. */
  digits: 110_000,
  /** Bits of an exact integer that a power, a factorial or a product may reach. */
  integerBits: 40_000,
  /** Items of a collection that is compared without order. */
  unorderedItems: 300,
} as const;
