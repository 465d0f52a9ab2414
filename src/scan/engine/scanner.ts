import { createHash } from 'node:crypto';
import { SnapshotError } from '../../errors.ts';
import type { KnownSecret } from '../../model/findings.ts';
import { binarySecretAt } from '../rules/binary.ts';
import type { RuleSet } from '../rules/ruleset.ts';
import { BODY, GZIP, HAS_ENCODING_HEADER, HAS_KEYWORD, HIT_BYTES, HIT_START, SLACK } from './abi.ts';
import { bodiesOf } from './bodies.ts';
import { Budget } from './budget.ts';
import { Collector, type Sighting } from './collector.ts';
import { BODY_ENCODINGS, Frames } from './frames.ts';
import { type Layout, layOut } from './memory.ts';
import type { Patterns } from './patterns.ts';
import { protectedBy } from './protected.ts';
import { Told } from './told.ts';
import { type Exports, instantiate, type WasmModule } from './wasm.ts';

/** Bytes of one extent. What starts in [ownFrom, ownTo) is told of; the rest is context. Offsets in the file. */
export interface Part {
  from: number;
  to: number;
  ownFrom: number;
  ownTo: number;
}

/** Addresses in the bytes of `depth`. What `owner` belongs to tells of it: where a rule's match begins. */
interface StoredAt {
  depth: number;
  from: number;
  to: number;
  owner?: number;
}

/** Compressed data that is cut: where it begins, and whether only the headers before it tell what it is. */
export interface Cut {
  offset: number;
  isBody: boolean;
}

/** Context that decoded content keeps from one piece of it to the next, in bytes. */
const BODY_CONTEXT = 32 * 1024;

/** Applies the first pass, and the rules to what it tells of, to bytes of files. One for each thread. */
export class Scanner {
  /** Bytes of a file are read to here. */
  readonly input: Buffer;
  readonly collector = new Collector();
  private readonly exports: Exports;
  private readonly layout: Layout;
  private readonly memory: Buffer;
  private readonly frames: Frames;
  private readonly told = new Told();
  private readonly hashes = new Map<number, string>();
  private readonly patterns: Patterns;
  private readonly rules: RuleSet;
  private readonly secrets: readonly KnownSecret[];
  private file = '';
  /** Offset in the file of the byte at address 0, were there one. */
  private base = 0;
  private part: Part = { from: 0, to: 0, ownFrom: 0, ownTo: 0 };
  private cuts: Cut[] = [];
  private readonly budget = new Budget();
  /** Offsets of compressed data that was searched in part only. */
  private readonly partly = new Set<number>();
  private more: () => number = () => 0;

  constructor(
    module: WasmModule,
    patterns: Patterns,
    rules: RuleSet,
    secrets: readonly KnownSecret[],
    inputBytes: number,
  ) {
    this.patterns = patterns;
    this.rules = rules;
    this.secrets = secrets;
    this.exports = instantiate(module, {
      text: (depth, flags, count) => this.onText(depth, flags, count),
      raw: (depth, literal, at) => this.onRaw(depth, literal, at),
      der: (depth, at, to) => this.onDer(depth, at, to),
      cut: (depth, at) => this.onCut(depth, at),
      more: () => this.more(),
      spent: (depth, at, bytes) => this.spend(depth === 0 ? at : this.outermost(), bytes),
    });
    this.layout = layOut(this.exports, patterns, inputBytes);
    this.memory = Buffer.from(this.exports.memory.buffer);
    this.frames = new Frames(this.memory, this.layout);
    this.input = this.memory.subarray(this.layout.input, this.layout.input + inputBytes);
  }

  /** The next parts are of this file; `input` holds its bytes in [from, to). `isAgain`: it held them before. */
  open(file: string, from: number, to: number, isAgain: boolean): void {
    this.file = file;
    this.base = from - this.layout.input;
    if (!isAgain) {
      this.collector.forgetPlaces();
      this.budget.begin(from);
    }
    this.budget.reach(to);
  }

  /** What lies at this offset was searched in part only. */
  addPartly(offset: number): void {
    this.partly.add(offset);
  }

  /** How many places there were of which only a part was searched, none of them again. */
  takePartly(): number {
    const { size } = this.partly;
    this.partly.clear();
    return size;
  }

  /** Searches one part. Returns the streams that begin in it and go on where it ends. */
  search(part: Part): Cut[] {
    this.part = part;
    this.cuts = [];
    this.frames.own(0, part.ownFrom - this.base, part.ownTo - this.base);
    this.exports.search(0, part.from - this.base, part.to - this.base);
    return this.cuts;
  }

  /**
   * Searches a gzip stream that was cut before, now with more of its bytes; the part begins with it. `more` puts the next
   * ones of the file into `input` and tells up to which offset; undefined for none. False where the stream is cut again.
   */
  searchStream(part: Part, more: () => number | undefined): boolean {
    this.part = part;
    this.cuts = [];
    let { to } = part;
    this.more = () => {
      const next = more();
      if (next === undefined) return 0;
      const bytes = next - to;
      to = next;
      this.budget.reach(to);
      return bytes;
    };
    this.frames.own(0, part.ownFrom - this.base, part.ownTo - this.base);
    this.exports.gunzipOn(part.from - this.base, part.to - this.base);
    return this.cuts.length === 0;
  }

  private onText(depth: number, flags: number, count: number): void {
    const frame = this.frames.frame(depth);
    this.told.enter(depth, frame.serial);
    const address = (index: number) => frame.source + index * frame.width;
    for (let hit = 0; hit < count; hit++) {
      const at = this.layout.hits + hit * HIT_BYTES;
      const { secret, text, decoders, whole } = this.patterns.literals[this.memory.readUInt32LE(at)]!;
      const start = this.memory.readUInt32LE(at + HIT_START);
      if (start < frame.ownFrom || start >= frame.ownTo) continue;
      const end = start + text.length;
      const place = { depth, from: address(start), to: address(end) };
      if (whole !== undefined) {
        const { bytes, before } = whole[frame.width];
        place.from -= before;
        place.to = place.from + bytes.length;
        if (place.from < frame.bytesFrom || place.to > frame.bytesTo) continue;
        if (this.memory.compare(bytes, 0, bytes.length, place.from, place.to) !== 0) continue;
      }
      if (this.addKnown(secret, place, [this.frames.textEncoding(depth), ...decoders])) {
        this.told.tell(depth, start, end, secret);
      }
    }
    if ((flags & HAS_KEYWORD) !== 0) this.applyRules(depth);
    if ((flags & HAS_ENCODING_HEADER) !== 0 && depth === 0 && frame.width === 1) this.searchBodies();
  }

  private applyRules(depth: number): void {
    const frame = this.frames.frame(depth);
    const address = (index: number) => frame.source + index * frame.width;
    const encoding = frame.width === 2 ? 'utf-16le' : 'utf-8';
    this.rules.search(this.frames.textOf(depth), { file: this.file, encoding }, (match) => {
      const { ruleId, description, secret, start, matchStart } = match;
      if (matchStart < frame.ownFrom || matchStart >= frame.ownTo) return;
      const end = start + secret.length;
      if (this.told.hasKnown(depth, start, end)) return;
      const place = { depth, from: address(start), to: address(end), owner: address(matchStart) };
      const isAdded = this.add(place, [this.frames.textEncoding(depth)], undefined, () => ({
        ruleId,
        description,
        length: secret.length,
        start: secret.slice(0, 2),
        sha256: sha256(secret),
        ...protectedBy(secret),
      }));
      if (isAdded) this.told.tell(depth, start, end, undefined);
    });
  }

  private onRaw(depth: number, index: number, at: number): void {
    const { literal, encoding, bytes } = this.patterns.raw[index]!;
    const own =
      depth === 0 || this.frames.frame(depth - 1).kind >= GZIP || encoding === 'utf-16le' ? encoding : undefined;
    this.addKnown(literal.secret, { depth, from: at, to: at + bytes.length }, [own, ...literal.decoders]);
  }

  private addKnown(secret: number, place: StoredAt, encoding: readonly (string | undefined)[]): boolean {
    return this.add(place, encoding, secret, () => {
      const { name, value } = this.secrets[secret]!;
      let hash = this.hashes.get(secret);
      if (hash === undefined) {
        hash = sha256(value);
        this.hashes.set(secret, hash);
      }
      const ofValue = { length: value.length, start: value.slice(0, 2), sha256: hash, ...protectedBy(value) };
      return { ruleId: 'known-value', description: name, ...ofValue };
    });
  }

  private onDer(depth: number, at: number, to: number): number {
    const from = depth === 0 ? this.part.from - this.base : this.frames.area(depth);
    const found = binarySecretAt(this.memory.subarray(from, to), at - from);
    if (found === undefined) return 0;
    const { ruleId, description, secret, start, length } = found;
    const place = { depth, from: from + start, to: from + start + length };
    this.add(place, ['der'], undefined, () => ({
      ruleId,
      description,
      length: secret.length,
      start: '',
      sha256: createHash('sha256').update(secret).digest('hex'),
    }));
    return place.to;
  }

  private onCut(depth: number, at: number, isBody = false): void {
    const offset = at + this.base;
    if (depth > 0) this.onInnerCut(depth, at);
    else if (offset >= this.part.ownFrom && offset < this.part.ownTo) this.cuts.push({ offset, isBody });
  }

  /** Of a stream within other data no more is there than what was decoded of that at once, be there more or not. */
  private onInnerCut(depth: number, at: number): void {
    const { areaTo, bytesTo } = this.frames.frame(depth);
    const { kind, to, length, ownTo } = this.frames.frame(depth - 1);
    const isMore = kind >= GZIP ? areaTo < bytesTo : to === length && ownTo < length;
    if (!isMore) return;
    const origin = this.frames.originOf(depth, at, at + 1);
    if (origin !== undefined) this.addPartly(origin.from + this.base);
  }

  /** The address in the bytes of depth 0 of what is being decoded. */
  private outermost(): number {
    const { kind, from, source } = this.frames.frame(0);
    return kind >= GZIP ? from : source;
  }

  private spend(at: number, bytes: number): void {
    if (this.budget.spend(bytes)) return;
    const place = `${this.file}+0x${(at + this.base).toString(16)}`;
    throw new SnapshotError('DS4002', `${place}: compressed data there unpacks to more than can be searched`, {
      fix: 'Drop this data before the checkpoint (docs/hooks.md), or leave out the request that brings it.',
    });
  }

  /** Counts a sighting; false where it is told of elsewhere. */
  private add(
    { depth, from, to, owner }: StoredAt,
    encoding: readonly (string | undefined)[],
    secret: number | undefined,
    describe: () => Omit<Sighting, 'encoding' | 'file' | 'offset' | 'bytes'>,
  ): boolean {
    const origin = this.frames.originOf(depth, from, to, owner);
    if (origin === undefined) return false;
    if (origin.stretches.some((stretch) => this.told.covers(stretch, secret))) return false;
    this.collector.add({
      ...describe(),
      encoding: [...origin.chain, ...encoding.filter((part) => part !== undefined)].join(' > '),
      file: this.file,
      offset: origin.from + this.base,
      bytes: origin.to - origin.from,
    });
    return true;
  }

  /** Decompresses HTTP bodies behind the headers in the text of depth 0, and searches them. */
  private searchBodies(): void {
    const frame = this.frames.frame(0);
    const end = this.part.to - this.base;
    const text = this.frames.textOf(0);
    const bytes = this.memory.subarray(0, end);
    const spend = (at: number, count: number) => this.spend(at, count);
    for (const { encoding, from, to, content, isCut, isTooLong } of bodiesOf(text, bytes, frame.source, spend)) {
      if (isCut) this.onCut(0, from, true);
      if (isTooLong) this.addPartly(from + this.base);
      this.exports.madeBy(0, BODY, BODY_ENCODINGS.indexOf(encoding), from, to);
      const area = this.frames.area(1);
      const room = this.layout.areaBytes - SLACK;
      for (let start = 0; ; start += room - 2 * BODY_CONTEXT) {
        const piece = content.subarray(start, start + room);
        this.memory.set(piece, area);
        const isLast = start + room >= content.length;
        const ownTo = isLast ? area + piece.length : area + room - BODY_CONTEXT;
        this.frames.own(1, start === 0 ? area : area + BODY_CONTEXT, ownTo);
        this.exports.search(1, area, area + piece.length);
        if (isLast) break;
      }
    }
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
