import * as abi from './abi.ts';
import type { Layout } from './memory.ts';
import type { Stretch } from './told.ts';
import { type SourceMap, sourceMapOf } from './unwind.ts';

/** Names of the encodings of an HTTP body, by the phase of a frame of kind BODY. */
export const BODY_ENCODINGS = ['br', 'deflate', 'gzip'] as const;

/** Fields of a frame, as in abi.ts. */
interface Frame {
  text: number;
  length: number;
  width: 1 | 2;
  source: number;
  ownFrom: number;
  ownTo: number;
  serial: number;
  level: number;
  kind: number;
  phase: number;
  from: number;
  to: number;
  areaFrom: number;
  areaTo: number;
  bytesFrom: number;
  bytesTo: number;
}

/** Where bytes of some depth come from. */
export interface Origin {
  /** Addresses of the bytes of depth 0 that hold them encoded. */
  from: number;
  to: number;
  /** Encoding chain up to these bytes. */
  chain: string[];
  /** The text stretches that were decoded on the way, by depth, as indices in the text of that depth. */
  stretches: Stretch[];
}

/** Reads the frames of the first pass: what it looks at, and how that was decoded from the bytes of a file. */
export class Frames {
  private readonly bytes: Buffer;
  private readonly words: Uint32Array;
  private readonly areas: number;
  private readonly areaBytes: number;
  private readonly texts: { serial: number; text: string }[] = [];
  private readonly maps: { key: string; map: SourceMap }[] = [];

  constructor(bytes: Buffer, layout: Layout) {
    this.bytes = bytes;
    this.words = new Uint32Array(bytes.buffer, layout.frames);
    this.areas = layout.areas;
    this.areaBytes = layout.areaBytes;
  }

  frame(depth: number): Frame {
    const field = (offset: number) => this.words[(depth * abi.FRAME + offset) / 4]!;
    return {
      text: field(abi.TEXT),
      length: field(abi.LENGTH),
      width: field(abi.WIDTH) as 1 | 2,
      source: field(abi.SOURCE),
      ownFrom: field(abi.OWN_FROM),
      ownTo: field(abi.OWN_TO),
      serial: field(abi.SERIAL),
      level: field(abi.LEVEL),
      kind: field(abi.KIND),
      phase: field(abi.PHASE),
      from: field(abi.FROM),
      to: field(abi.TO),
      areaFrom: field(abi.AREA_FROM),
      areaTo: field(abi.AREA_TO),
      bytesFrom: field(abi.BYTES_FROM),
      bytesTo: field(abi.BYTES_TO),
    };
  }

  /** What starts at these addresses of the bytes of `depth` belongs to them; the rest is context. */
  own(depth: number, from: number, to: number): void {
    this.words[(depth * abi.FRAME + abi.AREA_FROM) / 4] = from;
    this.words[(depth * abi.FRAME + abi.AREA_TO) / 4] = to;
  }

  /** Where decoded bytes of a depth from 1 on are. */
  area(depth: number): number {
    return this.areas + (depth - 1) * this.areaBytes;
  }

  /** The text of `depth`, made but once. */
  textOf(depth: number): string {
    const { text, length, serial } = this.frame(depth);
    if (this.texts[depth]?.serial !== serial) {
      this.texts[depth] = { serial, text: this.bytes.toString('latin1', text, text + length) };
    }
    return this.texts[depth]!.text;
  }

  /** How the bytes above `depth` were decoded from its text, made but once. */
  private sourceMap(depth: number): SourceMap {
    const { serial, kind, phase, from, to } = this.frame(depth);
    const key = `${serial} ${kind} ${phase} ${from}`;
    if (this.maps[depth]?.key !== key) {
      this.maps[depth] = { key, map: sourceMapOf(this.textOf(depth), { kind, phase, from, to }) };
    }
    return this.maps[depth]!.map;
  }

  /** The encoding of the text of `depth`; undefined where the decoder before it says all (bytes of text in base64). */
  textEncoding(depth: number): string | undefined {
    if (this.frame(depth).width === 2) return 'utf-16le';
    return depth === 0 || this.frame(depth - 1).kind >= abi.GZIP ? 'utf-8' : undefined;
  }

  /**
   * Follows [from, to), addresses in the bytes of `depth`, back to the bytes of depth 0.
   * Undefined where `owner`, an address as well, lies in what is only context: then it is told of elsewhere.
   */
  originOf(depth: number, from: number, to: number, owner = from): Origin | undefined {
    const chain: string[] = [];
    const stretches: Origin['stretches'] = [];
    for (; ; depth--) {
      const { areaFrom, areaTo } = this.frame(depth);
      if (owner < areaFrom || owner >= areaTo) return undefined;
      if (depth === 0) return { from, to, chain, stretches };
      const below = this.frame(depth - 1);
      if (below.kind >= abi.GZIP) {
        chain.unshift(below.kind === abi.GZIP ? 'gzip' : BODY_ENCODINGS[below.phase]!);
        from = below.from;
        to = below.to;
        owner = from;
        continue;
      }
      const map = this.sourceMap(depth - 1);
      const area = this.area(depth);
      const first = map.startOf(from - area);
      const after = map.endBefore(to - area);
      const ownerIndex = map.startOf(owner - area);
      if (ownerIndex < below.ownFrom || ownerIndex >= below.ownTo) return undefined;
      stretches.push({ depth: depth - 1, serial: below.serial, from: first, to: after });
      const encoding = this.textEncoding(depth - 1);
      chain.unshift(...(encoding === undefined ? [] : [encoding]), decoderName(this.textOf(depth - 1), below));
      from = below.source + first * below.width;
      to = below.source + after * below.width;
      owner = below.source + ownerIndex * below.width;
    }
  }
}

function decoderName(text: string, { kind, from, to }: Frame): string {
  if (kind === abi.HEX) return 'hex';
  if (kind === abi.URL) return 'url';
  if (kind === abi.JSON_ESCAPES) return 'json';
  const stretch = text.slice(from, to);
  return /[-_]/.test(stretch) && !/[+/]/.test(stretch) ? 'base64url' : 'base64';
}
