import { PassThrough } from 'node:stream';
import { startProgress } from '../../../src/observe/progress';

function stream(isTTY: boolean) {
  const written: string[] = [];
  const target = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  target.on('data', (piece: Buffer) => written.push(piece.toString()));
  return { target, text: () => written.join('') };
}

test('off a terminal nothing is drawn at once, but lines are written', () => {
  const { target, text } = stream(false);
  const progress = startProgress({ label: 'work', total: 3, unit: 'steps' }, target);
  progress.advance(2, 'half');
  progress.line('a line');
  progress.set(3);
  progress.stop();
  expect(text()).toBe('a line\n');
});

test('on a terminal the last drawing holds label, count, unit and note; stop may come twice', () => {
  const { target, text } = stream(true);
  {
    let time = 0;
    using progress = startProgress({ label: 'work', total: 3, unit: 'steps', now: () => time }, target);
    time = 2000;
    progress.advance(1);
    progress.line('a line');
    progress.set(3, 'reward 0.5');
    progress.stop();
  }
  expect(text()).toContain('a line\n');
  expect(text()).toMatch(/work \S+ 3\/3 steps, 1\.5 steps\/s, 2 s {2}reward 0\.5[^/]*$/);
});

test('off a terminal a plain line says count, rate, time left and note every ten seconds, unless the caller writes its own', () => {
  for (const plainLines of [true, false]) {
    const { target, text } = stream(false);
    let time = 0;
    const progress = startProgress({ label: 'work', total: 100, unit: 'steps', plainLines, now: () => time }, target);
    for (let second = 1; second <= 12; second++) {
      time = second * 1000;
      progress.advance(2, `loss ${second}`);
    }
    expect(text()).toBe(plainLines ? 'work 20/100 steps, 2 steps/s, 10 s, 40 s left  loss 10\n' : '');
  }
});

test('a run that goes on is not credited with what was done before', () => {
  const { target, text } = stream(false);
  let time = 0;
  const progress = startProgress({ label: 'work', total: 100, unit: 'steps', now: () => time }, target);
  time = 10_000;
  progress.set(91);
  expect(text()).toContain('91/100 steps, 0.1 steps/s, 10 s, 1 min 30 s left');
});
