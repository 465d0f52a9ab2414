interface Cookie {
  name: string;
  value: string;
  path: string;
}

/**
 * The cookies of one host, as in RFC 6265 without domains: there is only the app. Secure cookies are sent too, as
 * browsers do to localhost. A cookie lives until the app deletes it (Max-Age=0 or an Expires in the past).
 */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();

  /** Takes in one `set-cookie` header of an answer to `requestPath`. What is no cookie is ignored. */
  store(setCookie: string, requestPath: string): void {
    const [pair, ...attributes] = setCookie.split(';');
    const [name, value] = splitPair(pair!);
    if (!name || value === undefined) return;
    const settings = new Map(attributes.map(splitPair).map(([key, text]) => [key.toLowerCase(), text ?? '']));
    const given = settings.get('path');
    const path = given?.startsWith('/') ? given : defaultPath(requestPath);
    const key = `${path};${name}`;
    if (isExpired(settings.get('max-age'), settings.get('expires'))) this.#cookies.delete(key);
    else this.#cookies.set(key, { name, value, path });
  }

  /** The `cookie` header for a request to `requestPath`, longer paths first; undefined where there are none. */
  header(requestPath: string): string | undefined {
    if (this.#cookies.size === 0) return undefined;
    const asked = withoutQuery(requestPath);
    const cookies = [...this.#cookies.values()]
      .filter(({ path }) => asked === path || asked.startsWith(path.endsWith('/') ? path : `${path}/`))
      .sort((a, b) => b.path.length - a.path.length);
    return cookies.length > 0 ? cookies.map(({ name, value }) => `${name}=${value}`).join('; ') : undefined;
  }
}

function splitPair(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text.trim(), undefined] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function withoutQuery(path: string): string {
  return path.split('?', 1)[0]!;
}

function defaultPath(requestPath: string): string {
  const path = withoutQuery(requestPath);
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

function isExpired(maxAge: string | undefined, expires: string | undefined): boolean {
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0;
  return expires !== undefined && Date.parse(expires) <= Date.now();
}
