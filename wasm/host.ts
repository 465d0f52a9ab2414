// What the host (src/scan/engine/scanner.ts) is called for.

/** A text of `depth` holds keywords (bit 0), the name of a header that tells an encoding (bit 1), or `count` literals. */
// @ts-ignore: decorator
@external("host", "text")
export declare function onText(depth: u32, flags: u32, count: u32): void;

/** At `at` in the bytes of `depth`, which end at `to`, a DER sequence may begin. Returns the end of a key, or 0. */
// @ts-ignore: decorator
@external("host", "der")
export declare function onDer(depth: u32, at: usize, to: usize): usize;

/** A raw literal is at `at` in the bytes of `depth`. */
// @ts-ignore: decorator
@external("host", "raw")
export declare function onRaw(depth: u32, literal: u32, at: usize): void;

/** The gzip stream at `at` in the bytes of `depth` goes on beyond their end. */
// @ts-ignore: decorator
@external("host", "cut")
export declare function onCut(depth: u32, at: usize): void;

/** The stream that `gunzipOn` was called for needs more: returns how many bytes lie in the place of the first now, or 0. */
// @ts-ignore: decorator
@external("host", "more")
export declare function onMore(): usize;

/** Inflating took so many bytes more, those of the stream at `at` in the bytes of `depth` last. Throws where it is enough. */
// @ts-ignore: decorator
@external("host", "spent")
export declare function onSpent(depth: u32, at: usize, bytes: u32): void;
