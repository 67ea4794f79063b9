/** The engine's options on the command line. */
import { Command } from 'commander';
import { addEngineOptions, typedEngineOptions } from '../../../src/cli/common-options';

const typed = (...args: string[]): object => {
  const command = addEngineOptions(new Command(), { trains: true });
  command.parse(args, { from: 'user' });
  return typedEngineOptions(command.opts(), command);
};

test('what was typed counts, the defaults do not', () => {
  expect(typed()).toEqual({});
  expect(typed('--no-master-weights')).toEqual({ masterWeights: false });
  const all = ['--device', 'cpu', '--dtype', 'bfloat16', '--threads', '3', '--memory', '99', '--no-master-weights'];
  expect(typed(...all)).toEqual({
    device: 'cpu',
    dtype: 'bfloat16',
    threads: 3,
    memoryMiB: 99,
    masterWeights: false,
  });
});
