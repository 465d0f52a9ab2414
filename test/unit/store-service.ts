import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import { ResultsService } from '../harness/results-service.ts';
import { type CacheScope, createRuntimeToken } from '../harness/runtime-token.ts';

/** A results service, a temporary folder, and an environment in which the toolkit's clients find both. */
export interface StoreFixture {
  service: ResultsService;
  /** A folder of this test. */
  temp: string;
  /** Goes on as another job: of this run, with these scopes. */
  asJob(run: string, ...scopes: CacheScope[]): void;
}

export const MAIN: CacheScope = { scope: 'refs/heads/main', permission: 3 };

/** Sets the fixture up before each test of the file, and takes it down after. */
export function useStore(): StoreFixture {
  const fixture = {
    asJob: (run: string, ...scopes: CacheScope[]) =>
      void vi.stubEnv('ACTIONS_RUNTIME_TOKEN', createRuntimeToken({ run, job: 'job', scopes })),
  } as StoreFixture;
  beforeEach(async () => {
    fixture.service = await ResultsService.start();
    fixture.temp = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-store-'));
    vi.stubEnv('ACTIONS_RESULTS_URL', fixture.service.url);
    vi.stubEnv('ACTIONS_CACHE_SERVICE_V2', 'true');
    vi.stubEnv('GITHUB_WORKSPACE', fixture.temp);
    vi.stubEnv('RUNNER_TEMP', fixture.temp);
    fixture.asJob('run-1', MAIN);
    // The clients write workflow commands and progress to stdout.
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await fixture.service.close();
    await rm(fixture.temp, { recursive: true, force: true });
  });
  return fixture;
}
