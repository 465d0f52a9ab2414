/** What a job may do with the cache entries of a ref: bit 1 reads, bit 2 writes. */
export interface CacheScope {
  /** Full ref, e.g. `refs/heads/main`. */
  scope: string;
  permission: number;
}

/** The claims of ACTIONS_RUNTIME_TOKEN that the results service decides by. */
export interface RuntimeClaims {
  /** Ids of the run and the job in the results service. */
  run: string;
  job: string;
  /** The job's own ref first, then the ones it may only read: the base branch, the default branch. */
  scopes: CacheScope[];
}

/** A token with a runner's claims. Nobody checks its signature. */
export function createRuntimeToken({ run, job, scopes }: RuntimeClaims): string {
  const ac = JSON.stringify(scopes.map(({ scope, permission }) => ({ Scope: scope, Permission: permission })));
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return [part({ alg: 'none', typ: 'JWT' }), part({ scp: `Actions.Results:${run}:${job}`, ac }), 'unsigned'].join('.');
}

/** The claims in an Authorization header, or undefined where they are not those of a runner's token. */
export function readRuntimeToken(authorization: string | undefined): RuntimeClaims | undefined {
  const payload = /^Bearer [^.]+\.([^.]+)\.[^.]*$/.exec(authorization ?? '')?.[1];
  if (payload === undefined) return undefined;
  const { scp, ac } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { scp: string; ac: string };
  const [, run, job] = /(?:^| )Actions\.Results:([^: ]+):([^: ]+)/.exec(scp) ?? [];
  if (run === undefined || job === undefined) return undefined;
  const scopes = (JSON.parse(ac) as { Scope: string; Permission: number }[]).map(({ Scope, Permission }) => ({
    scope: Scope,
    permission: Permission,
  }));
  return { run, job, scopes };
}
