import { join } from 'node:path';

/** This project's folder, beside src/ and dist/ alike: runtime/, rules/ and dist/ are below it. */
export const PROJECT_ROOT = join(import.meta.dirname, '..');
