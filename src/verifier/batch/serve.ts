/** The worker's side: checks chunks as they come and counts its progress where the pool sees it. */
import type { MessagePort } from 'node:worker_threads';
import type { Verdict, VerifyOptions } from '../verdict';
import { progressField, type ChunkMessage, type PieceMessage, type WorkerReply } from './protocol';

type Check = (gold: string, completion: string, options: VerifyOptions) => Verdict;

/** Answers every chunk on `port` with the verdicts of `check`. */
export function serveChunks(port: MessagePort, progress: Int32Array, check: Check): void {
  const reply = (message: WorkerReply): void => port.postMessage(message);
  const pieces = { gold: [] as string[], completion: [] as string[] };
  const whole = (of: keyof typeof pieces, sent: string): string =>
    pieces[of].length === 0 ? sent : pieces[of].splice(0).join('');

  port.on('message', (message: ChunkMessage | PieceMessage) => {
    if (message.kind === 'piece') {
      pieces[message.of].push(message.text);
      return;
    }
    Atomics.store(progress, progressField.started, 1);
    const { golds, goldOf, completions, statement } = message;
    golds[0] = whole('gold', golds[0]);
    completions[0] = whole('completion', completions[0]);
    const failed: { index: number; message: string }[] = [];
    const verdicts = completions.map((completion, index): Verdict => {
      let verdict: Verdict;
      try {
        verdict = check(golds[goldOf[index]], completion, { statement });
      } catch (error) {
        failed.push({ index, message: error instanceof Error ? error.message : String(error) });
        verdict = { correct: null, reason: 'undecided', ms: 0 };
      }
      Atomics.add(progress, progressField.done, 1);
      return verdict;
    });
    reply({ kind: 'verdicts', verdicts, failed });
  });
  reply({ kind: 'ready' });
}
