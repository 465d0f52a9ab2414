import { type LocalAnswer, type LocalRequest, type LocalServer, serve } from './http.ts';

/** A comment on an issue or a pull request. */
export interface IssueComment {
  id: number;
  issue: number;
  body: string;
  user: { login: string; type: 'Bot' | 'User' };
}

/** What a token may do, by the names of a workflow's `permissions`. */
export type Permissions = Record<string, 'read' | 'write' | 'none'>;

/** A token like GITHUB_TOKEN; the API here reads from it what it may do. */
export function createApiToken(permissions: Permissions): string {
  return `test-${Buffer.from(JSON.stringify(permissions)).toString('base64url')}`;
}

const ACTIONS_BOT: IssueComment['user'] = { login: 'github-actions[bot]', type: 'Bot' };

/**
 * GitHub's API as far as comments need it: list by pages, create, update, and whose token it is. Of a comment it checks
 * what the real one does: the token's permission, whose comment it is, and the body's length.
 */
export class GitHubApi {
  /** Every comment of the repository, oldest first; tests may put some in. */
  readonly comments: IssueComment[] = [];
  /** Method and path of each request so far. */
  readonly requests: string[] = [];
  /** False: the token can't ask who it is. */
  knowsViewer = true;
  readonly #repository: string;
  #server: LocalServer | undefined;
  #nextId = 1;

  private constructor(repository: string) {
    this.#repository = repository;
  }

  /** Starts an API with one repository, `owner/name`. */
  static async start(repository: string): Promise<GitHubApi> {
    const api = new GitHubApi(repository);
    api.#server = await serve((request) => api.#handle(request));
    return api;
  }

  /** For GITHUB_API_URL. */
  get url(): string {
    return this.#server?.url ?? '';
  }

  /** Ends it; the comments can still be looked at. */
  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** Puts a comment in, from the Actions bot if nobody else. */
  add(issue: number, body: string, user: IssueComment['user'] = ACTIONS_BOT): IssueComment {
    const comment = { id: this.#nextId++, issue, body, user };
    this.comments.push(comment);
    return comment;
  }

  #handle(request: LocalRequest): LocalAnswer {
    const { method, url, headers } = request;
    this.requests.push(`${method} ${url.pathname}${url.search}`);
    if (!headers.authorization) return refuse(401, 'Requires authentication');
    if (url.pathname === '/graphql') return this.#graphql(request);
    const path = url.pathname.replace(`/repos/${this.#repository}/issues/`, '');
    const list = /^(\d+)\/comments$/.exec(path);
    if (list && method === 'GET') return this.#list(Number(list[1]), url);
    if (list && method === 'POST') return this.#write(request, (body) => this.add(Number(list[1]), body), 201);
    const one = /^comments\/(\d+)$/.exec(path);
    const comment = one && this.comments.find(({ id }) => id === Number(one[1]));
    if (!comment || method !== 'PATCH') return refuse(404, 'Not Found');
    if (comment.user.login !== ACTIONS_BOT.login) return refuse(403, 'Resource not accessible by integration');
    return this.#write(request, (body) => Object.assign(comment, { body }), 200);
  }

  #graphql({ body }: LocalRequest): LocalAnswer {
    const { query } = JSON.parse(body.toString()) as { query: string };
    if (query.replace(/\s+/g, '') !== '{viewer{login}}') throw new Error(`This query is not known here: ${query}`);
    if (this.knowsViewer) return { status: 200, body: { data: { viewer: { login: ACTIONS_BOT.login } } } };
    return { status: 200, body: { data: null, errors: [{ type: 'FORBIDDEN', message: 'Resource not accessible' }] } };
  }

  #list(issue: number, url: URL): LocalAnswer {
    const perPage = Math.min(Number(url.searchParams.get('per_page') ?? 30), 100);
    const page = Number(url.searchParams.get('page') ?? 1);
    const all = this.comments.filter((comment) => comment.issue === issue);
    const body = all.slice((page - 1) * perPage, page * perPage);
    if (page * perPage >= all.length) return { status: 200, body };
    const next = new URL(url);
    next.searchParams.set('page', String(page + 1));
    return { status: 200, headers: { link: `<${next}>; rel="next"` }, body };
  }

  #write(request: LocalRequest, change: (body: string) => IssueComment, status: number): LocalAnswer {
    const token = String(request.headers.authorization).replace(/^(token|bearer) test-/i, '');
    const permissions = JSON.parse(Buffer.from(token, 'base64url').toString()) as Permissions;
    if (permissions['pull-requests'] !== 'write' && permissions.issues !== 'write') {
      return refuse(403, 'Resource not accessible by integration');
    }
    const { body } = JSON.parse(request.body.toString()) as { body: string };
    if (body.length > 65_536) return refuse(422, 'Body is too long (maximum is 65536 characters)');
    return { status, body: change(body) };
  }
}

function refuse(status: number, message: string): LocalAnswer {
  return { status, body: { message } };
}
