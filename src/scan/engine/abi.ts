// What the first pass and its host agree on. wasm/abi.ts holds the same; test/unit/scan/engine/abi.test.ts compares them.
// Sizes and offsets are in bytes.

/** Decodings one inside the other, files included: the bytes of a file are depth 0. */
export const DEPTHS = 4;
/** Shortest run of text, in characters; `search` knows it by its bit masks. */
export const MIN_RUN = 8;
/** Characters of a long text that are looked at together, and bytes that narrowing them may write beyond. */
export const PIECE = 256 * 1024;
export const PIECE_SLACK = 64;
/** Blocks are read whole, so this much lies beyond everything that is read. */
export const SLACK = 256;
/** Tables of the inflater for one depth. */
export const INFLATE_TABLES = 8192;

/** Classes of characters that the automaton tells apart. */
export const CLASSES = 64;
/** Numbers of the automaton that are no literal's. */
export const KEYWORD = 0xffffffff;
export const ENCODING_HEADER = 0xfffffffe;
/** Flags of a text that holds one of them. */
export const HAS_KEYWORD = 1;
export const HAS_ENCODING_HEADER = 2;

/** A literal: address, length, length of the prefix that the automaton holds. */
export const LITERAL_BYTES = 12;
export const LITERAL_LENGTH = 4;
export const LITERAL_PREFIX = 8;
/** A raw literal: address, length. */
export const RAW_BYTES = 8;
export const RAW_LENGTH = 4;
/** What the host is told of a literal in a text: its number, index of its first character; most of them at once. */
export const HIT_BYTES = 8;
export const HIT_START = 4;
export const MAX_HITS = 1024;

/** Tables of characters, and where in them those of the values in base64 and hex begin. */
export const KINDS_BYTES = 768;
export const BASE64_VALUES = 256;
export const HEX_VALUES = 512;
/** Bits of their first part: what a character may belong to. */
export const IN_BASE64 = 1;
export const IN_HEX = 2;
export const IS_PERCENT = 4;
export const IS_BACKSLASH = 8;

/** How the bytes of one depth were made from those of the depth below; from GZIP on, not from its text. BODY is the host's. */
export const BASE64 = 1;
export const HEX = 2;
export const URL = 3;
export const JSON_ESCAPES = 4;
export const GZIP = 5;
export const BODY = 6;

/** A frame tells of one depth. What is in it, by offset: */
export const FRAME = 64;
/** The text that is looked at: its address, characters, bytes a character, address of the first one's bytes. */
export const TEXT = 0;
export const LENGTH = 4;
export const WIDTH = 8;
export const SOURCE = 12;
/** What starts in these characters belongs to this text; the rest is context. */
export const OWN_FROM = 16;
export const OWN_TO = 20;
/** Tells one text from the next. */
export const SERIAL = 24;
/** Text decodings that made the bytes of this depth. */
export const LEVEL = 28;
/** How the next depth was made: kind, phase, from and to (indices in the text; addresses from GZIP on). */
export const KIND = 32;
export const PHASE = 36;
export const FROM = 40;
export const TO = 44;
/** What starts at these addresses belongs to the bytes of this depth; the rest is context. */
export const AREA_FROM = 48;
export const AREA_TO = 52;
/** Addresses of all bytes of this depth that are searched. */
export const BYTES_FROM = 56;
export const BYTES_TO = 60;
