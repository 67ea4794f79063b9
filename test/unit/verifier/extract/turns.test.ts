import { type Case, stated } from './support';

describe('thinking', () => {
  test.each<Case>([
    ['<think>\\boxed{1}</think> So \\boxed{2}', 'box', '2'],
    ['<think>\\boxed{1}</think> hm', 'box', '1'],
    ['<think>\\boxed{1}</think>', 'box', '1'],
    ['<think>\\boxed{1}</think> It comes to 2.', 'asserted', '2'],
    ['<think>The answer is 1.</think> <answer> 2 </answer>', 'tag', '2'],
    ['reasoning without a start, \\boxed{1} </think> The answer is 2.', 'phrase', '2'],
    ['<thinking>\\boxed{1}</thinking> \\boxed{2}', 'box', '2'],
    ['<reasoning>\\boxed{1}</reasoning> \\boxed{2}', 'box', '2'],
    ['<REASONING_START>\\boxed{1}</REASONING_END> \\boxed{2}', 'box', '2'],
    ['<think>a</think> \\boxed{1} <think>b \\boxed{3}</think> \\boxed{2}', 'box', '2'],
    ['<think>It is \\boxed{3}, I thi', 'box', '3'],
    ['<think>first\n\nQuestion: is it \\boxed{4}? No.</think> \\boxed{5}', 'box', '5'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

describe('transcripts', () => {
  test.each<Case>([
    ['<|im_start|>system\nBox it: \\boxed{0}<|im_end|>\n<|im_start|>user\nWhat is 2+3?<|im_end|>\n<|im_start|>assistant\nIt is \\boxed{5}<|im_end|>', 'box', '5'],
    ['<|im_start|>user\nWhat is 2+3? The answer is 9.<|im_end|>\n<|im_start|>assistant\n5', 'asserted', '5'],
    ['<|im_start|>user\nQ1<|im_end|><|im_start|>assistant\n\\boxed{5}<|im_end|><|im_start|>user\nQ2<|im_end|><|im_start|>assistant\n\\boxed{6}', 'box', '5'],
    ['<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n2+3?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nThe answer is 5.<|eot_id|>', 'phrase', '5'],
    ['<s>[INST] What is 2+3? \\boxed{9} [/INST] \\boxed{5}</s>', 'box', '5'],
    ['<|user|>\n2+3? \\boxed{9}\n<|assistant|>\n\\boxed{5}', 'box', '5'],
    ['<start_of_turn>user\n2+3? \\boxed{9}<end_of_turn>\n<start_of_turn>model\n\\boxed{5}<end_of_turn>', 'box', '5'],
    ['User: 2+3? \\boxed{9}\nAssistant: \\boxed{5}', 'box', '5'],
    ['Human: 2+3?\n\nAssistant: It is 5.\n\nHuman: 3+3?\n\nAssistant: It is 6.', 'asserted', '5'],
    ['A conversation between User and Assistant. Answer in <answer> answer here </answer> tags.\nUser: 2+3, or \\boxed{9}?\nAssistant: <think>2+3</think> <answer>5</answer>', 'tag', '5'],
    ['What is 2+3?\nAssistant: It is 5.', 'asserted', '5'],
    ['Take 2 and 3.<|im_end|>\n<|im_start|>assistant\nThe answer is 5.', 'phrase', '5'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  }); // prettier-ignore

  test.each([
    '<|im_start|>user\nThe answer is 5, right?<|im_end|>',
    '<|im_start|>user\n\\boxed{5}<|im_end|>\n<|im_start|>assistant\n',
    'User: is it \\boxed{5}?',
  ])('%j is only a prompt', (text) => {
    expect(stated(text)).toBeNull();
  });
});

describe('run-ons', () => {
  test.each<Case>([
    ['Therefore, the chance is 2/3. <|im_start|>user', 'asserted', '2/3'],
    ['The final answer is 5. I hope it is correct. <|im_start|>user\nNow 3+3 is \\boxed{6}', 'phrase', '5'],
    ['It is \\boxed{5}<|im_end|>\n<|im_start|>user\n3+3?<|im_end|>\n<|im_start|>assistant\n\\boxed{6}', 'box', '5'],
    ['It is \\boxed{5}<|endoftext|>Another text: \\boxed{6}', 'box', '5'],
    ['It is 5.</s> 6 7 8', 'asserted', '5'],
    ['The answer is 5.\n\nHuman: 3+3?\n\nAssistant: The answer is 6.', 'phrase', '5'],
    ['The answer is 5.\nUser: 3+3?\nThe answer is 6.', 'phrase', '5'],
    ['The answer is 5.\n\nProblem: 3+3?\nThe answer is 6.', 'phrase', '5'],
    ['The answer is 5.\n\nQuestion 2: 3+3?\nThe answer is 6.', 'phrase', '5'],
    ['The answer is 5.\n\nQ: 3+3?\nA: The answer is 6.', 'phrase', '5'],
    ['#### 5\n\n### Problem\n3+3\n#### 6', 'hashes', '5'],
    ['\\boxed{5}\n\nInstruction: add 3 and 3\n\\boxed{6}', 'box', '5'],
    ['\\boxed{5}\n\n**Problem 2:** 3+3\n\\boxed{6}', 'box', '5'],
    ['\\boxed{5}\n\n问题：3+3\n\\boxed{6}', 'box', '5'],
    ['Problem: 2+3\nSolution: \\boxed{5}', 'box', '5'],
    ['### Problem\nWhat is 2+3?\n### Solution\nThe answer is 5.', 'phrase', '5'],
    ['We restate it.\nProblem: what is 2+3?\nThe answer is 5.', 'phrase', '5'],
    ['<think>a</think> \\boxed{5}\nQuestion: 3+3? <think>b</think> \\boxed{6}', 'box', '5'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

describe('code', () => {
  test.each<Case>([
    ['```python\nprint("\\\\boxed{7}")\n```\nThe answer is 5.', 'phrase', '5'],
    ['It is \\boxed{5}.\n```\n\\boxed{7}\n```', 'box', '5'],
    ['Here it is:\n```latex\n\\boxed{5}\n```', 'box', '5'],
    ['The total is 5.\n```python\nx = 7\n```', 'asserted', '5'],
    ['```python\nx = 6 * 7\n```\n```output\n42\n```', 'asserted', '42'],
    ['```\n42\n```', 'asserted', '42'],
    ['It is \\boxed{5}.\n```\n# The answer is 7', 'box', '5'],
    ['\\boxed{5}\n% \\boxed{7}', 'box', '5'],
    ['The share is 28% of \\boxed{5}', 'box', '5'],
    ['The answer is `5`.', 'phrase', '5'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});
