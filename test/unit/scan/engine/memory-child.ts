// Searches a file in a process of its own and prints what it took: peak memory in bytes, and what was found.
import { statSync } from 'node:fs';
import { searchFiles } from '../../../../src/scan/engine/search.ts';
import { loadRules } from '../../../../src/scan/rules/load.ts';

const [path = '', threads = '', rulesDirectory = ''] = process.argv.slice(2);
const { size } = statSync(path);
const file = { name: 'pages-1.img', size, path, start: 0, extents: [{ offset: 0, length: size }] };
const rules = loadRules({ rulesDirectory });
const known = Array.from({ length: 50 }, (_, index) => ({
  name: `n${index}`,
  value: `Zx9-${index * 7919}-unheard-of`,
}));
searchFiles([file], { rules, known }, { threads: Number(threads) }).then(({ hits, bytes }) => {
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ peak, bytes, hits: hits.map((hit) => hit.ruleId) }));
});
