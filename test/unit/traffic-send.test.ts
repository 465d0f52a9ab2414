import type { Dispatcher } from 'undici';
import { expect, it, vi } from 'vitest';
import { send } from '../../src/traffic/send.ts';

it('gives up while there is still no connection, and sends nothing when there is one at last', async () => {
  let handler: Dispatcher.DispatchHandler | undefined;
  const dispatcher = {
    dispatch: (_options: unknown, given: Dispatcher.DispatchHandler) => {
      handler = given;
      return true;
    },
  } as unknown as Dispatcher;
  const sending = send(dispatcher, { method: 'GET', path: '/', headers: {}, body: undefined }, 20);
  await expect(sending).rejects.toThrow('time-out after 20 ms');
  const controller = { abort: vi.fn() };
  handler!.onRequestStart!(controller as unknown as Dispatcher.DispatchController, {});
  expect(controller.abort).toHaveBeenCalledOnce();
});
