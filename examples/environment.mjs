// An environment of one's own: the policy guesses a number and is told where to look next.
//   zero-rl train recipes/demo.yaml --set environment=./examples/environment.mjs#guess
// `respond` sees the episode so far: { problem, prompt, turns, sample }; each turn is { from: 'policy' | 'environment', text }.
// Its second argument is a signal for tools that take their time: fetch(url, { signal }). What the environment writes is masked out
// of the loss; an answer too long for the context ends the episode.

/** The last whole number of a text; null where there is none. */
function lastNumber(text) {
  const found = text.match(/-?\d+/g);
  return found === null ? null : Number(found.at(-1));
}

export const guess = {
  // A text goes on with the episode, null ends it.
  respond({ problem, turns }) {
    const number = lastNumber(turns.at(-1).text);
    const target = Number(problem.answer);
    if (number === target) return null;
    if (number === null) return '\nSay a number: ';
    return number < target ? '\nHigher: ' : '\nLower: ';
  },
  // Instead of data.template.
  prompt: ({ problem }) => `${problem}\nGuess: `,
  // Instead of the config's reward; `completion` is what the policy wrote, `turns` the whole episode.
  reward({ answer, completion, turns = [] }) {
    const correct = lastNumber(completion) === Number(answer);
    return {
      reward: correct ? 1 - 0.1 * Math.floor(turns.length / 2) : 0,
      reason: correct ? 'found' : 'not-found',
      correct,
    };
  },
};
