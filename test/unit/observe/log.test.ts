import { log } from '../../../src/observe/log';

let written: string;
const before = process.env.ZERO_RL_LOG;
beforeEach(() => {
  written = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  if (before === undefined) delete process.env.ZERO_RL_LOG;
  else process.env.ZERO_RL_LOG = before;
});

test.each([
  ['silent', []],
  ['error', ['error']],
  ['warn', ['error', 'warn']],
  ['info', ['error', 'warn', 'info']],
  ['debug', ['error', 'warn', 'info', 'debug']],
  ['nonsense', ['error', 'warn', 'info']],
])('ZERO_RL_LOG=%s shows %j', (level, expected) => {
  process.env.ZERO_RL_LOG = level;
  for (const name of ['error', 'warn', 'info', 'debug'] as const) log[name]('line of %s', name);
  expect(Array.from(written.matchAll(/line of (\w+)/g), ([, name]) => name)).toEqual(expected);
  expect(log.isDebug()).toBe(level === 'debug');
});
