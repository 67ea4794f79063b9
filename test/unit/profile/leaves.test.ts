import { leaves, type Stretch } from '../../../src/profile/leaves';

const stretch = (name: string, start: number, end: number): Stretch => ({ name, start, end });
const own = (table: Map<string, { own: number }>): Record<string, number> =>
  Object.fromEntries([...table].map(([name, leaf]) => [name, leaf.own]));

test('each moment belongs to the innermost section, else the innermost span, else to nobody', () => {
  const loop = [stretch('evaluation', 10, 50), stretch('verify', 40, 50), stretch('step', 60, 90)];
  const engine = [stretch('sample', 12, 38), stretch('decode step', 14, 20), stretch('decode step', 20, 30)];
  const found = leaves({ loop, engine, workers: [], wait: 'wait' }, 0, 100);
  expect(own(found.loop)).toEqual({ evaluation: 4, verify: 10, step: 30 });
  expect(own(found.engine)).toEqual({ sample: 10, 'decode step': 16 });
  expect(found.engine.get('decode step')).toMatchObject({ calls: 2, total: 16 });
  expect([...found.engineWithin]).toEqual([26, 0, 0]);
  expect(found.unnamed).toBe(10 + 10 + 10);
});

test('while the engine waits for its threads, the time is theirs', () => {
  const engine = [stretch('decode step', 0, 30), stretch('layers', 0, 10), stretch('wait', 10, 30)];
  const workers = [stretch('layers', 2, 25), stretch('draw', 20, 25)];
  const found = leaves({ loop: [], engine, workers, wait: 'wait' }, 0, 30);
  expect(own(found.engine)).toEqual({ 'decode step': 0, layers: 20, wait: 5, draw: 5 });
  expect(found.engine.get('layers')).toMatchObject({ calls: 1 });
  expect(found.unnamed).toBe(0);
});

test('the parts add up to the whole whatever the stretches are', () => {
  const loop = [stretch('a', -5, 40), stretch('b', 30, 60), stretch('c', 30, 30), stretch('d', 80, 200)];
  const engine = [stretch('e', 35, 85), stretch('f', 35, 85)];
  const found = leaves({ loop, engine, workers: [], wait: 'wait' }, 0, 100);
  const sum = [...Object.values(own(found.loop)), ...Object.values(own(found.engine))].reduce((a, b) => a + b, 0);
  expect(sum + found.unnamed).toBe(100);
});
