/** What started the run. */
export interface Trigger {
  eventName: 'push' | 'pull_request';
  /** `owner/name`. */
  repository: string;
  /** Full ref, e.g. `refs/heads/main` or `refs/pull/7/merge`. */
  ref: string;
  sha: string;
  /** Branches of a pull request. */
  baseRef?: string;
  headRef?: string;
  /** True for a pull request from a fork: its token only reads, and it gets no secrets. */
  fromFork: boolean;
  event: object;
}

/** A push to a branch, or of a tag (`refs/tags/v1`). */
export function push(repository: string, branchOrRef: string, sha = '1'.repeat(40)): Trigger {
  const ref = branchOrRef.startsWith('refs/') ? branchOrRef : `refs/heads/${branchOrRef}`;
  const event = { ref, after: sha, repository: repositoryPayload(repository) };
  return { eventName: 'push', repository, ref, sha, fromFork: false, event };
}

/** A pull request to `baseRef`; one that comes from another repository is from a fork. */
export function pullRequest(
  repository: string,
  number: number,
  options: { baseRef?: string; fork?: string } = {},
): Trigger {
  const { baseRef = 'main', fork = repository } = options;
  const [headRef, sha] = ['topic', '2'.repeat(40)];
  const event = {
    action: 'synchronize',
    number,
    pull_request: {
      number,
      base: { ref: baseRef, sha: '1'.repeat(40), repo: repositoryPayload(repository) },
      head: { ref: headRef, sha: '3'.repeat(40), repo: repositoryPayload(fork) },
    },
    repository: repositoryPayload(repository),
  };
  return {
    eventName: 'pull_request',
    repository,
    ref: `refs/pull/${number}/merge`,
    sha,
    baseRef,
    headRef,
    fromFork: fork !== repository,
    event,
  };
}

function repositoryPayload(fullName: string): object {
  const [login, name] = fullName.split('/');
  return { full_name: fullName, name, owner: { login }, default_branch: 'main', fork: false };
}
