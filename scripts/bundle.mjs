// Bundles each door into one file that needs no node_modules; CI rebuilds and compares.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { build } from 'esbuild';

await build({
  entryPoints: { cli: 'src/cli.ts', main: 'src/main.ts', 'scan-worker': 'src/scan/engine/worker.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  legalComments: 'none',
  // CommonJS has neither; dependencies and session.ts use both.
  define: { 'import.meta.url': 'importMetaUrl', 'import.meta.dirname': '__dirname' },
  banner: { js: 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;' },
  logLevel: 'warning',
});

// The scan's first pass.
const { error, stderr } = await asc.main(
  `wasm/index.ts --outFile dist/scan.wasm --enable simd --enable bulk-memory --runtime stub -O3 --pedantic`.split(' '),
);
if (error) throw new Error(stderr.toString());

// The reusable workflow reaches the action of its own commit as `$/.github/actions/snapshot`: `$/` alone is refused.
const manifest = readFileSync('action.yml', 'utf8').replace(/^(\s+(?:main|post): ['"]?)dist\//gm, '$1../../../dist/');
mkdirSync('.github/actions/snapshot', { recursive: true });
writeFileSync('.github/actions/snapshot/action.yml', `# Made from /action.yml by npm run build.\n${manifest}`);
