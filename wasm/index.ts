// The first pass of the scan. Built by scripts/bundle.mjs to dist/scan.wasm, driven by src/scan/engine/scanner.ts.
export { gunzipOn } from './inflate';
export { search } from './search';
export { configure, madeBy } from './state';
