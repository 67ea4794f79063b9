/** Rows with conversations and `data.template: chat`: the whole conversation reaches the model; without it a warning names what does not. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateModel } from '../../../src/evaluation/suite';
import { resolveConfig } from '../../../src/training/load-config';
import { BanditPolicy } from '../../support/bandit-policy';

const folder = mkdtempSync(join(tmpdir(), 'zero-rl-chat-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [model, bare] = ['model', 'bare'].map((name) => join(folder, name));
for (const path of [model, bare]) mkdirSync(path);
writeFileSync(
  join(model, 'chat_template.jinja'),
  `<s>{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}`,
);
const rows = [
  // TRL's prompts, and the hub's messages with the answer of the assistant as gold.
  {
    id: 'trl',
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: '1+1?' },
    ],
    answer: '2',
  },
  {
    id: 'hub',
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: '1+1?' },
      { role: 'assistant', content: 'So \\boxed{2}' },
    ],
  },
  { id: 'plain', problem: '1+1?', answer: '2' },
];
const file = join(folder, 'rows.jsonl');
writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));

/** Records whether the tokenizer was asked for its special tokens. */
class RecordingPolicy extends BanditPolicy {
  special = new Set<unknown>();

  override encodePrompt(prompt: unknown, addSpecialTokens?: unknown): Int32Array {
    this.special.add(addSpecialTokens);
    return super.encodePrompt(prompt);
  }
}

async function prompts(template: string, directory = model) {
  const warnings: string[] = [];
  const policy = new RecordingPolicy();
  const config = { model, data: { train: file, evaluation: file, template }, evaluation: { problems: 3 } };
  const [{ samples }] = await evaluateModel(directory, [resolveConfig(config)], {
    loadPolicy: () => Promise.resolve(policy),
    warn: (message) => warnings.push(message),
  });
  const texts = Object.fromEntries(samples.map(({ prompt }) => [prompt.problem.id, prompt.text]));
  return { texts, answers: samples.map(({ prompt }) => prompt.problem.answer), warnings, special: [...policy.special] };
}

test('with the template chat every turn before the answer is in the prompt, special tokens by the template alone', async () => {
  expect(await prompts('chat')).toEqual({
    texts: {
      trl: '<s>[system]Be brief.[user]1+1?[assistant]',
      hub: '<s>[user]Hi[assistant]Hello[user]1+1?[assistant]',
      plain: '<s>[user]1+1?[assistant]',
    },
    answers: ['2', 'So \\boxed{2}', '2'],
    warnings: [],
    special: [false],
  });
});

test('other templates take the last question, and a warning names what they leave out', async () => {
  const { texts, warnings, special } = await prompts('question');
  expect(new Set(Object.values(texts))).toEqual(new Set(['Question: 1+1?\nAnswer:']));
  expect(special).toEqual([true]);
  expect(warnings).toEqual([
    '2 of 3 held-out problems have messages of system and user and assistant before the last one of the user; data.template leaves them out ("chat" keeps them)',
  ]);
});

test('a model folder without a chat template is an error that says what to add', async () => {
  await expect(prompts('chat', bare)).rejects.toMatchObject({
    code: 'ERR_ZERO_RL_CONFIG',
    message: expect.stringMatching(/chat needs a chat template.*add chat_template\.jinja/),
  });
});
