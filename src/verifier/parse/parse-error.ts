/** Thrown inside the parser when an answer is no mathematics that it knows; `parseAnswer` turns it into no reading. */
export class ParseError extends Error {}

/** The one that is thrown: it says nothing of its own, and a stack trace for each would cost more than the parsing. */
export const parseError = new ParseError('not mathematics');
