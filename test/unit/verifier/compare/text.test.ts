import { checkAll, list, set, text } from './nodes';
import { infix, symbol } from '../../../support/verifier-nodes';

const letters = (word: string) => ({
  kind: 'product' as const,
  factors: Array.from(word, (letter) => infix(letter)),
});

test('words are equal up to case, spaces and an article', () => {
  checkAll([
    [text('evelyn'), text('Evelyn'), 'equal'],
    [text('the midpoint'), text('midpoint'), 'equal'],
    [text('a circle'), text('circle'), 'equal'],
    [text('odd  number'), text('odd number'), 'equal'],
    [text('increasing'), text('decreasing'), 'different'],
    [text('yes'), text('true'), 'different'],
    [text('x = odd'), text('odd'), 'equal'],
    [text('one'), '1', 'different'],
  ]);
});

test('letters side by side spell a word', () => {
  checkAll([
    [text('odd'), letters('odd'), 'equal'],
    [text('even'), letters('Even'), 'equal'],
    [text('odd'), letters('even'), 'different'],
    [text('x'), '2*x', 'different'],
  ]);
});

test('choices are letters however they are written', () => {
  checkAll([
    [text('(c)'), symbol('C'), 'equal'],
    [text('c'), symbol('c'), 'equal'],
    [symbol('C'), symbol('c'), 'equal'],
    [text('option c'), text('(c)'), 'equal'],
    [text('choice c'), symbol('D'), 'different'],
    [text('e'), 'e', 'equal'],
    [text('(c) twelve'), text('c'), 'equal'],
    [symbol('x'), symbol('X'), 'different'],
    [symbol('E'), 'e', 'different'],
    [text('a'), text('b'), 'different'],
  ]);
});

test('words in a row are a list', () => {
  checkAll([
    [text('monday, tuesday and friday'), list(text('friday'), text('monday'), text('tuesday')), 'equal'],
    [text('a and b'), set(symbol('B'), symbol('A')), 'equal'],
    [text('monday, tuesday'), list(text('monday'), text('friday')), 'different'],
  ]);
});
