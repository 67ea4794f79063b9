// Delta debugging: the smallest input that still fails in the same way.

/** Attempts for one input, and their time: slow inputs and lost processes take long. */
const MOST_ATTEMPTS = 1500;
const MOST_MS = 20_000;

/** Whether another attempt may be made; takes it. */
function take(budget) {
  budget.left--;
  return budget.left >= 0 && performance.now() < budget.end;
}

/** Removes ever smaller parts of a text as long as the rest fails. */
async function shrinkText(text, fails, budget) {
  let result = text;
  for (let size = Math.ceil(result.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < result.length && take(budget);) {
      const candidate = result.slice(0, from) + result.slice(from + size);
      if (candidate !== result && (await fails(candidate))) result = candidate;
      else from += size;
    }
  }
  return result;
}

/** Smaller digits and letters in place of what is there. */
async function simplifyText(text, fails, budget) {
  let result = text;
  for (let at = 0; at < result.length && at < 60; at++) {
    const simpler = /[2-9]/.test(result[at])
      ? '1'
      : /[b-wyzA-Z]/.test(result[at]) && result[at - 1] !== '\\'
        ? 'x'
        : null;
    if (simpler === null) continue;
    if (!take(budget)) break;
    const candidate = result.slice(0, at) + simpler + result.slice(at + 1);
    if (await fails(candidate)) result = candidate;
  }
  return result;
}

/** @param fails Whether an input fails in the same way; resolves to a boolean. */
export async function shrink(input, fails) {
  const budget = { left: MOST_ATTEMPTS, end: performance.now() + MOST_MS };
  const fields = input.pair ? ['gold', 'answer'] : ['gold', 'completion'];
  const build = (texts) =>
    input.pair
      ? { gold: texts.gold, completion: `\\boxed{${texts.answer}}`, pair: { ...texts, sound: input.pair.sound } }
      : texts;
  let best = input.pair
    ? { gold: input.pair.gold, answer: input.pair.answer }
    : { gold: input.gold, completion: input.completion };
  for (let round = 0; round < 3; round++) {
    const before = JSON.stringify(best);
    for (const reduce of [shrinkText, simplifyText]) {
      for (const field of fields) {
        const reduced = await reduce(best[field], (text) => fails(build({ ...best, [field]: text })), budget);
        best = { ...best, [field]: reduced };
      }
    }
    if (JSON.stringify(best) === before) break;
  }
  return build(best);
}
