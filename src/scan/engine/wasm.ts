import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SnapshotError } from '../../errors.ts';
import { PROJECT_ROOT } from '../../root.ts';

/** A compiled module; crosses into worker threads as it is. */
export interface WasmModule {
  readonly wasm: unique symbol;
}

/** What dist/scan.wasm exports. */
export interface Exports {
  memory: { buffer: ArrayBuffer; grow(pages: number): number };
  configure(...addresses: (number | boolean)[]): void;
  search(depth: number, from: number, to: number): void;
  gunzipOn(at: number, to: number): void;
  madeBy(depth: number, kind: number, phase: number, from: number, to: number): void;
}

/** What it calls (wasm/host.ts). */
export interface Host {
  text(depth: number, flags: number, count: number): void;
  raw(depth: number, literal: number, at: number): void;
  der(depth: number, at: number, to: number): number;
  cut(depth: number, at: number): void;
  more(): number;
  spent(depth: number, at: number, bytes: number): void;
}

// The types of Node's own libraries know WebAssembly by name only.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    compile(bytes: Uint8Array): Promise<WasmModule>;
    Instance: new (module: WasmModule, imports: { host: Host }) => { exports: Exports };
  };
};

/** Compiles dist/scan.wasm. Throws DS9001 where it is missing or damaged. */
export async function loadFirstPass(): Promise<WasmModule> {
  try {
    return await WebAssembly.compile(await readFile(join(PROJECT_ROOT, 'dist', 'scan.wasm')));
  } catch (error) {
    throw new SnapshotError('DS9001', 'dist/scan.wasm can not be loaded.', { detail: String(error) });
  }
}

/** A first pass with a memory of its own. */
export function instantiate(module: WasmModule, host: Host): Exports {
  return new WebAssembly.Instance(module, { host }).exports;
}
