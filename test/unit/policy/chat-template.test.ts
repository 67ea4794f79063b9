import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { applyChatTemplate, ChatTemplate, type ChatMessage } from '../../../src/policy/chat-template';
import { expectFailure, useTemporaryFolder } from './model-folder';

const folder = useTemporaryFolder();
const write = (name: string, content: unknown) =>
  writeFileSync(join(folder(), name), typeof content === 'string' ? content : JSON.stringify(content));

const MESSAGES: ChatMessage[] = [
  { role: 'system', content: 'Add.' },
  { role: 'user', content: '1 + 1?' },
];
const CHATML = `{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message['content'] | trim + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}`;
const TEXT = '<|im_start|>system\nAdd.<|im_end|>\n<|im_start|>user\n1 + 1?<|im_end|>\n';

test('no template is null', async () => {
  expect(await ChatTemplate.load(folder())).toBeNull();
  write('tokenizer_config.json', { chat_template: null });
  expect(await applyChatTemplate(folder(), MESSAGES)).toBeNull();
});

test('a text in tokenizer_config.json, with and without the generation prompt', async () => {
  write('tokenizer_config.json', { chat_template: CHATML });
  expect(await applyChatTemplate(folder(), MESSAGES)).toBe(TEXT);
  expect(await applyChatTemplate(folder(), MESSAGES, { addGenerationPrompt: true })).toBe(
    `${TEXT}<|im_start|>assistant\n`,
  );
});

test('of a list of templates the default one is taken', async () => {
  const templates = [
    { name: 'tool_use', template: 'tools' },
    { name: 'default', template: CHATML },
  ];
  write('tokenizer_config.json', { chat_template: templates });
  expect(await applyChatTemplate(folder(), MESSAGES)).toBe(TEXT);
  write('tokenizer_config.json', { chat_template: templates.slice(0, 1) });
  await expectFailure(() => ChatTemplate.load(folder()), /list with one named default/);
});

test('chat_template.jinja wins', async () => {
  write('tokenizer_config.json', { chat_template: 'old' });
  write('chat_template.jinja', 'new {{ messages | length }}');
  expect(await applyChatTemplate(folder(), MESSAGES)).toBe('new 2');
});

test('templates see the special tokens and variables of their caller', async () => {
  write('special_tokens_map.json', { bos_token: '<s>', eos_token: 'old' });
  write('tokenizer_config.json', {
    eos_token: { content: '</s>' },
    chat_template: '{{ bos_token }}{{ eos_token }}{% if enable_thinking is defined %}{{ enable_thinking }}{% endif %}',
  });
  expect(await applyChatTemplate(folder(), MESSAGES)).toBe('<s></s>');
  expect(await applyChatTemplate(folder(), MESSAGES, { variables: { enable_thinking: false } })).toBe('<s></s>false');
});

test('a template that is no Jinja, one that refuses, and messages that are none', async () => {
  write('chat_template.jinja', '{% for %}');
  await expectFailure(() => ChatTemplate.load(folder()), /chat_template\.jinja is not valid Jinja/);
  write('chat_template.jinja', "{{ raise_exception('roles must alternate') }}");
  const template = (await ChatTemplate.load(folder()))!;
  await expectFailure(
    () => template.apply(MESSAGES),
    /refuses these messages \(roles must alternate\)/,
    'ERR_ZERO_RL_DATA',
  );
  expect(() => template.apply('hello' as unknown as ChatMessage[])).toThrow(
    /Expected an array of messages for messages/,
  );
  expect(() => template.apply([{ content: 'x' } as unknown as ChatMessage])).toThrow(/messages\[0\]/);
});
