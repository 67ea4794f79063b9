/** Work in tasks of its own, one piece a task, so that the page answers between the drawing of two charts. */
const waiting = new Set<() => void>();
let running = false;

function next(): void {
  const { value: work, done } = waiting.values().next();
  if (done) {
    running = false;
    return;
  }
  waiting.delete(work);
  setTimeout(next);
  work();
}

/** Queues a piece of work; the function returned takes it back. */
export function inTurn(work: () => void): () => void {
  waiting.add(work);
  if (!running) {
    running = true;
    setTimeout(next);
  }
  return () => waiting.delete(work);
}
