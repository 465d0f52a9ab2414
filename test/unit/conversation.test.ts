import { expect, test } from 'vitest';
import { Conversation } from '../../src/engine/conversation.ts';

/** A program that answers a line with its own process number and the line; it ends at the line `end`. */
const program = ['sh', '-c', 'while read -r line; do [ "$line" = end ] && exit 3; echo "$$ $line"; done'];

test('the same program answers all questions, in their order', async () => {
  const conversation = new Conversation(program);
  const answers = await Promise.all(['a', 'b', 'c'].map((line) => conversation.ask(line)));
  const [pid] = answers[0]!.stdout.split(' ');
  expect(answers).toEqual(['a', 'b', 'c'].map((line) => ({ code: 0, stdout: `${pid} ${line}\n`, stderr: '' })));
});

test('a program that has ended is told of, and started again', async () => {
  const conversation = new Conversation(program);
  expect(await conversation.ask('end')).toEqual({ code: 3, stdout: '', stderr: '' });
  expect(await conversation.ask('again')).toMatchObject({ code: 0, stdout: expect.stringMatching(/ again\n$/) });
});

test('a program that can’t be started fails each question', async () => {
  const conversation = new Conversation(['/nowhere/program']);
  expect((await conversation.ask('a')).code).not.toBe(0);
  expect((await conversation.ask('b')).code).not.toBe(0);
});
