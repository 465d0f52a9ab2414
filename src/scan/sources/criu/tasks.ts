import { type Fields, integer, integers, message, text } from '../protobuf.ts';
import type { StoredFile } from '../stored.ts';
import { onlyRecordIn, recordsIn } from './image.ts';

/** A decoded `core-<tid>.img`, one for each thread. */
export interface Task {
  /** Name of the process; only the main thread's image has it. */
  name?: string;
  /** Undefined for an architecture other than x86-64 and arm64. */
  stackPointer?: bigint;
  /** General registers. */
  registers: bigint[];
}

/** Reads a `core-<tid>.img` (images/core.proto). Throws DS4002 where it is damaged. */
export function readTask(file: StoredFile): Task {
  const core = onlyRecordIn(file, 'core');
  const taskCore = message(core, 3, file.name);
  const name = taskCore && text(taskCore, 6);
  const { stackPointer, registers } = registersOf(core, file.name);
  return {
    ...(name === undefined ? {} : { name }),
    ...(stackPointer === undefined ? {} : { stackPointer }),
    registers,
  };
}

function registersOf(core: Fields, file: string): { stackPointer?: bigint | undefined; registers: bigint[] } {
  const x86 = message(core, 2, file);
  const x86Registers = x86 && message(x86, 2, file);
  if (x86Registers) {
    return {
      stackPointer: integer(x86Registers, 20),
      registers: [...x86Registers.values()].flat().filter((value) => typeof value === 'bigint'),
    };
  }
  const arm = message(core, 8, file);
  const armRegisters = arm && message(arm, 3, file);
  if (armRegisters) {
    return { stackPointer: integer(armRegisters, 2), registers: integers(armRegisters, 1, file) };
  }
  return { registers: [] };
}

/** Thread to process, of `pstree.img` (images/pstree.proto). Throws DS4002 where it is damaged. */
export function readProcessTree(file: StoredFile): Map<number, number> {
  const processes = new Map<number, number>();
  for (const entry of recordsIn(file, 'pstree')) {
    const pid = Number(integer(entry, 1) ?? 0n);
    for (const thread of integers(entry, 5, file.name)) processes.set(Number(thread), pid);
    processes.set(pid, pid);
  }
  return processes;
}
