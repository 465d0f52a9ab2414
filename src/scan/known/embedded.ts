/** Settings of connection strings and URL queries whose value is a credential; blanks, `-` and `_` aside. */
const CREDENTIAL_NAME =
  /^(?:password|pwd|passphrase|ssl(?:key)?password|accountkey|sharedaccesskey|sharedaccesssignature|sharedsecret|accesskey|secretkey|apikey|clientsecret|accesstoken|authtoken|sig)$/i;

/** `name=value` up to what ends a value in a connection string, a URL's query, or a Redis configuration. */
const SETTINGS = {
  ';': /(?:^|;)\s*(\w[\w .-]{0,39}?)\s*=\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|\{[^}]{0,512}\}|[^;]*)/g,
  '&': /[?&#;]\s*([\w.-]{1,40})=([^&#\s]*)/g,
  ',': /(?:^|,)\s*(\w[\w .-]{0,39}?)\s*=\s*([^,]*)/g,
};

/**
 * The password of a URL such as `postgres://user:password@host`, up to the last `@` before the path. Where there is none
 * and no port either, it is written with characters that a URL has to escape, and ends at the last of all.
 */
const URL_PASSWORD =
  /^[a-z][a-z0-9+.-]*:\/\/[^:@/?#[]*:(?:([^/?#\s]+)@|(?!\d{1,5}(?:[/?#]|$))(\S+)@[^@/?#\s]+(?:[/?#]|$))/i;

/** A credential inside a larger value, and the setting that it is the value of. */
export interface EmbeddedCredential {
  setting: string;
  value: string;
}

/**
 * The credentials in a connection string or URL, blanks and quotes around it aside; none in any other text. A URL's are
 * given decoded too.
 */
export function embeddedCredentials(value: string): EmbeddedCredential[] {
  const text = bare(value);
  const separator = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? '&' : isConnectionString(text) ? ';' : ',';
  const found: EmbeddedCredential[] = [];
  const add = (setting: string, value: string) => {
    if (value !== '' && !found.some((known) => known.value === value)) found.push({ setting, value });
  };
  const addWithDecoded = (setting: string, raw: string) => {
    add(setting, raw);
    add(setting, decoded(raw));
  };
  const [, escaped, written] = URL_PASSWORD.exec(text) ?? [];
  const password = escaped ?? written;
  if (password !== undefined) addWithDecoded('password', password);
  for (const [, setting, value] of text.matchAll(SETTINGS[separator])) {
    if (!CREDENTIAL_NAME.test(setting!.replaceAll(/[\s_.-]/g, ''))) continue;
    if (separator === '&') addWithDecoded(setting!, value!);
    else add(setting!, unquoted(value!.trim()));
  }
  return found;
}

/** The text without blanks and quotes around it, which files and shells leave there. */
export function bare(text: string): string {
  const [, , inside] = /^(["'])(.*)\1$/s.exec(text.trim()) ?? [];
  return (inside ?? text).trim();
}

/** True for `Key=value;Key=value`, the form of an ADO.NET connection string. */
export function isConnectionString(text: string): boolean {
  return /^\s*[A-Za-z][\w .]*=[^=;]+;/.test(text);
}

function unquoted(text: string): string {
  if (/^".*"$/s.test(text)) return text.slice(1, -1).replaceAll('""', '"');
  if (/^'.*'$/s.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  return text.replace(/^\{(.*)\}$/s, '$1');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
