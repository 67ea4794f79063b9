/** Buttons that ask a run to pause, save or stop; the run obeys between two steps. */
import { useRef, useState } from 'preact/hooks';
import type { Action, RunInfo } from '../protocol.js';
import { act, messageOf } from './api.js';
import { token } from './token.js';

export function RunControls({ run }: { run: RunInfo }) {
  const [error, setError] = useState('');
  const dialog = useRef<HTMLDialogElement>(null);
  const ask = (action: Action): void => {
    setError('');
    act(run.id, action).catch((problem: unknown) => setError(messageOf(problem)));
  };
  if (token === '')
    return (
      <p class="facts">To pause, save or stop it, open the address that zero-rl printed when it served this page.</p>
    );
  const pausing = run.pending.includes('pause');
  const waiting = run.pending.filter((what) => !(what === 'pause' && run.state === 'paused'));
  return (
    <div class="controls" role="group" aria-label={`Control ${run.name}`}>
      <button type="button" onClick={() => ask(pausing ? 'resume' : 'pause')}>
        {pausing ? 'Go on' : 'Pause'}
      </button>
      <button type="button" disabled={run.pending.includes('checkpoint')} onClick={() => ask('checkpoint')}>
        Checkpoint
      </button>
      <button
        type="button"
        class="danger"
        disabled={run.pending.includes('stop')}
        onClick={() => dialog.current?.showModal()}
      >
        Stop
      </button>
      <p role="status">
        {error !== '' ? error : waiting.length > 0 ? `asked for ${waiting.join(' and ')}; obeyed after this step` : ''}
      </p>
      <dialog ref={dialog} aria-label={`Stop ${run.name}`}>
        <p>
          Stop <strong>{run.name}</strong> after this step? It saves a checkpoint, and{' '}
          <code>zero-rl train --resume</code> goes on from it.
        </p>
        <form method="dialog">
          <button type="submit">Keep training</button>
          <button type="submit" class="danger" onClick={() => ask('stop')}>
            Stop the run
          </button>
        </form>
      </dialog>
    </div>
  );
}
