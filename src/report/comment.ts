import { getOctokit } from '@actions/github';
import type { Log } from '../log.ts';
import { commentMarker } from './escape.ts';

/** The comment and where it goes. */
export interface CommentRequest {
  token: string;
  /** Address of the REST API, e.g. `https://api.github.com`; that one when absent. */
  apiUrl?: string;
  /** `owner/name`. */
  repository: string;
  /** Number of the pull request. */
  pullRequest: number;
  /** The app's name: one comment for each on a pull request. */
  name: string;
  /** Markdown, with the app's hidden marker on its first line or without. */
  body: string;
  log: Log;
}

/** Longest comment that GitHub takes, in UTF-16 units. */
export const LONGEST_COMMENT = 65_536;

/**
 * Writes the app's comment on the pull request: the first time a new one, then over that one. Never throws: what GitHub
 * refuses becomes a warning, and the job's summary has the same report.
 */
export async function upsertComment(request: CommentRequest): Promise<'created' | 'updated' | 'skipped'> {
  const marker = commentMarker(request.name);
  const marked = request.body.startsWith(marker) ? request.body : `${marker}\n\n${request.body}`;
  const body = cutComment(marked);
  const [owner = '', repo = ''] = request.repository.split('/');
  try {
    const github = getOctokit(request.token, request.apiUrl === undefined ? {} : { baseUrl: request.apiUrl });
    const existing = await findComment(github, { owner, repo, issue_number: request.pullRequest }, marker);
    if (existing !== undefined) {
      await github.rest.issues.updateComment({ owner, repo, comment_id: existing, body });
      return 'updated';
    }
    await github.rest.issues.createComment({ owner, repo, issue_number: request.pullRequest, body });
    return 'created';
  } catch (error) {
    request.log.warning(`The pull request was not commented: ${explain(error)} The job’s summary has the report.`);
    return 'skipped';
  }
}

/** The body, cut at a line's end with a note where it is longer than GitHub takes. */
export function cutComment(body: string, longest = LONGEST_COMMENT): string {
  if (body.length <= longest) return body;
  const note = '\n\n> [!NOTE]\n> This report is longer than a comment may be. The job’s summary has all of it.\n';
  let end = longest - note.length;
  for (;;) {
    end = body.lastIndexOf('\n', end - 1);
    const kept = end === -1 ? '' : body.slice(0, end);
    const closed = kept + closeBlocks(kept);
    if (closed.length + note.length <= longest) return closed + note;
  }
}

/** What ends the code fence and the folded sections that a cut left open, so that the note stays in view. */
function closeBlocks(text: string): string {
  const fences = text.match(/^\s*```/gm)?.length ?? 0;
  const opened = text.match(/<details\b/g)?.length ?? 0;
  const closed = text.match(/<\/details>/g)?.length ?? 0;
  return (fences % 2 === 1 ? '\n```' : '') + '\n\n</details>'.repeat(Math.max(0, opened - closed));
}

type GitHub = ReturnType<typeof getOctokit>;

/** The id of our comment with this marker. Anyone can write a marker, so the author counts too. */
async function findComment(
  github: GitHub,
  issue: { owner: string; repo: string; issue_number: number },
  marker: string,
): Promise<number | undefined> {
  const self = await ownLogin(github);
  const pages = github.paginate.iterator(github.rest.issues.listComments, { ...issue, per_page: 100 });
  for await (const { data } of pages) {
    const found = data.find(({ body, user }) => {
      const own = self === undefined ? user?.type === 'Bot' : user?.login === self;
      return own && body?.startsWith(marker);
    });
    if (found) return found.id;
  }
  return undefined;
}

/** The login that the token comments under; undefined where that can't be known. An Actions token may not GET /user. */
async function ownLogin(github: GitHub): Promise<string | undefined> {
  try {
    const { viewer } = await github.graphql<{ viewer: { login: string } }>('{ viewer { login } }');
    return viewer.login;
  } catch {
    return undefined;
  }
}

function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status !== 403 || /rate limit/i.test(message)) return `${message.replace(/\.$/, '')}.`;
  return 'the token lacks the permission `pull-requests: write`, as it does for pull requests from a fork.';
}
