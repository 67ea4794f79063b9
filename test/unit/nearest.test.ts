import { nearest } from '../../src/nearest';

const keys = ['n', 'maxTokens', 'temperature', 'topP', 'learningRate'];

test.each([
  ['maxToken', 'maxTokens'],
  ['max_tokens', 'maxTokens'],
  ['MAX-TOKENS', 'maxTokens'],
  ['tempreature', 'temperature'],
  ['top_p', 'topP'],
  ['learnign_rate', 'learningRate'],
])('%s is near %s', (name, expected) => {
  expect(nearest(name, keys)).toBe(expected);
});

test.each(['x', 'frequencyPenalty', ''])('%j is near nothing', (name) => {
  expect(nearest(name, keys)).toBeUndefined();
});
