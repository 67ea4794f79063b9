import { PassThrough } from 'node:stream';
import { startProgress } from '../../../src/observe/progress';

function stream(isTTY: boolean) {
  const written: string[] = [];
  const target = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  target.on('data', (piece: Buffer) => written.push(piece.toString()));
  return { target, text: () => written.join('') };
}

test('off a terminal nothing is drawn, but lines are written', () => {
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
    using progress = startProgress({ label: 'work', total: 3, unit: 'steps' }, target);
    progress.advance(1);
    progress.line('a line');
    progress.set(3, 'reward 0.5');
    progress.stop();
  }
  expect(text()).toContain('a line\n');
  expect(text()).toMatch(/work .*3\/3 steps \d+ s {2}reward 0\.5[^/]*$/);
});
