// What must hold for every input, whatever the answer is. A check returns what is wrong, as {kind, detail} objects.

/** The verdict without its time. */
const shown = ({ correct, reason, extracted }) => JSON.stringify({ correct, reason, extracted });

/** Words and marks that make a box speak about its answer, or start another turn: there white space may matter. */
const PROSE = /(?<![a-z])(?:is|are|answer|equals|so|not|hope)(?![a-z])|[[\]]INST|<[|/a-z]|```|答|选|####|\n/i;

/** Words side by side: a damaged text may then be read as a sentence. */
const WORDS = /(?<!\\[a-zA-Z]*)[A-Za-z]{2,}[^A-Za-z\\]+[A-Za-z]{1,}/;

const isDelimited = (text) => /[$\\]$|\$|\\[()[\]]|\*\*|`/.test(text) || text.trim() === '';

/** Neutral changes of any answer; null where one cannot be made. */
const variants = {
  spaces: (text) => (text.endsWith('\\') ? null : ` ${text} `),
  newline: (text) => (text.endsWith('\\') ? null : `\n${text}\n`),
  dollars: (text) => (isDelimited(text) ? null : `$${text}$`),
  display: (text) => (isDelimited(text) ? null : `\\[${text}\\]`),
};

/** Neutral where mathematics is written as it should be; a damaged text may mean anything. */
const formulaVariants = {
  // Not inside `+-`, `<=`, `1e+5` and their like.
  operators: (text) => text.replace(/(?<=[\w)}\]])(?<!\d[eE])([+=<>])(?=[\w({[\\])/g, ' $1 '),
  brackets: (text) => text.replace(/(?<![\w.\\^])\((?=[\w\\-])/g, '( '),
  left: (text) => withLeftRight(text),
};

/** No words, no delimiters, no brackets with a meaning of their own: `(C) 12`, `\sqrt[3]{2}`. */
const isFormula = (text) =>
  !/\\(?:text|math|mbox|left|right|begin|big|sqrt\[)|\\[[\]()]|[$"*]|^\s*\(?[A-Ja-j][).]/.test(text) &&
  !/[A-Za-z]{3}/.test(text.replace(/\\[a-zA-Z]+/g, ' '));

/** `\left` and `\right` before all brackets; null where one has no partner. */
function withLeftRight(text) {
  let depth = 0;
  for (const character of text) {
    if (character === '(' || character === '[') depth++;
    else if ((character === ')' || character === ']') && --depth < 0) return null;
  }
  return depth === 0 ? text.replace(/[([]/g, '\\left$&').replace(/[)\]]/g, '\\right$&') : null;
}

const decided = ({ reason }) => reason === 'equal' || reason === 'different';

export function createChecks({ verify, equalAnswers, verdictReasons }) {
  const reasons = new Set(verdictReasons);

  /** Whether no completion at all can be scored against a gold. */
  const isAtFault = (gold) =>
    ['\\boxed{31415}', '\\boxed{\\text{qwerty}}'].every((completion) => verify(gold, completion).correct === null);

  function soundness({ gold }, { correct, reason }) {
    const wrong = (detail) => [{ kind: 'unsound', detail }];
    if (!reasons.has(reason) || reason === 'timeout') return wrong(`the reason is ${reason}`);
    if ((correct === true) !== (reason === 'equal')) return wrong(`${reason} is ${correct}`);
    if (correct === null && reason !== 'unparsable-gold' && reason !== 'budget') return wrong(`${reason} is null`);
    if (reason === 'unparsable-gold' && correct !== null) return wrong(`${reason} is ${correct}`);
    const suspicious = correct === null || reason === 'budget';
    if (suspicious && (correct === null) !== isAtFault(gold))
      return wrong(
        correct === null ? 'null, but another completion can be scored' : 'false, but no completion can be scored',
      );
    return [];
  }

  function symmetry({ gold, answer }) {
    const [there, back] = [equalAnswers(gold, answer), equalAnswers(answer, gold)];
    return there === back ? [] : [{ kind: 'asymmetric', detail: `equalAnswers is ${there} and ${back}` }];
  }

  /** Gold and answer in boxes, so that both are read alike. */
  const compared = (gold, answer) => verify(`\\boxed{${gold}}`, `\\boxed{${answer}}`);

  /** What a box around a text is read as. */
  const readIn = (text) => verify('31415', `\\boxed{${text}}`).extracted;

  /** @param turn Which variant to try; all of them where it is undefined */
  function metamorphic({ gold, answer, sound }, turn) {
    const changes = Object.entries(
      sound && isFormula(gold) && isFormula(answer) ? { ...variants, ...formulaVariants } : variants,
    );
    const tried = turn === undefined ? changes : [changes[turn % changes.length]];
    const changed = tried.map(([name, change]) => ({ name, answer: change(answer), gold: change(gold) }));
    if ([gold, answer].some((text) => PROSE.test(text) || (!sound && WORDS.test(text)))) return [];
    const plain = compared(gold, answer);
    if (!decided(plain) || plain.extracted !== answer.trim() || readIn(gold) !== gold.trim()) return [];
    const found = [];
    const compare = (name, verdict) => {
      if (decided(verdict) && verdict.reason !== plain.reason)
        found.push({ kind: 'metamorphic', variant: name, detail: `${plain.reason}, with ${name} ${verdict.reason}` });
    };
    for (const variant of changed) {
      if (variant.answer !== null && variant.answer !== answer)
        compare(`${variant.name} in the answer`, compared(gold, variant.answer));
      if (variant.gold !== null && variant.gold !== gold)
        compare(`${variant.name} in the gold`, compared(variant.gold, answer));
    }
    return found;
  }

  const guarded = (check) => {
    try {
      return check();
    } catch (error) {
      return [
        {
          kind: 'throw',
          detail: String(error?.stack ?? error)
            .split('\n')
            .slice(0, 4)
            .join(' '),
        },
      ];
    }
  };

  return {
    /** The verdict and how many milliseconds it took. @throws whatever the verifier throws */
    judge({ gold, completion }) {
      const start = performance.now();
      const verdict = verify(gold, completion);
      return { verdict, ms: performance.now() - start };
    },
    shown,
    /** Everything that is wrong with one input, given its verdict; with a `turn` only one variant of it is looked at. */
    findings: (input, verdict, turn) => [
      ...guarded(() => soundness(input, verdict)),
      ...(input.pair ? guarded(() => symmetry(input.pair)) : []),
      ...(input.pair ? guarded(() => metamorphic(input.pair, turn)) : []),
    ],
    guarded,
  };
}
