/** Looks for the best settings of a side on a smaller workload of the same kind. */
import { candidates } from './rows.mjs';
import { start } from './sides.mjs';

const RUNS = 2;
/** A setting that takes this many times the best one's time is given up. */
const PATIENCE = 4;
const LEAST_LIMIT = 20;

async function time(side, workload, model, settings, context, limit) {
  const worker = await start(side, workload, model, settings, { ...context, quick: true });
  try {
    let least = await worker.run(limit);
    for (let i = 0; i < RUNS; i++) least = Math.min(least, await worker.run(limit));
    return least;
  } finally {
    await worker.kill();
  }
}

/** The fastest settings, with the seconds of each that was tried (an error's text where it failed). */
export async function tune(side, workload, model, context, tell) {
  const { first, then } = candidates(side, workload);
  if (!context.tune) return { settings: first[0], tried: [] };
  const tried = [];
  let best = { seconds: Infinity };
  const attempt = async (settings) => {
    const limit = best.seconds === Infinity ? context.limit : Math.max(LEAST_LIMIT, PATIENCE * best.seconds);
    try {
      const seconds = await time(side, workload, model, settings, context, limit);
      tried.push({ settings, seconds });
      tell(`${side} ${JSON.stringify(settings)}: ${seconds.toFixed(2)} s`);
      if (seconds < best.seconds) best = { settings, seconds };
    } catch (error) {
      tried.push({ settings, failed: error.message });
      tell(`${side} ${JSON.stringify(settings)}: ${error.message.split('\n').at(-1)}`);
    }
  };
  for (const settings of first) await attempt(settings);
  if (best.settings === undefined) throw new Error(tried.at(-1).failed);
  for (const change of then) await attempt({ ...best.settings, ...change });
  return { settings: best.settings, tried };
}
