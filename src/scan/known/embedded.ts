/** Settings of connection strings and URL queries whose value is a credential; blanks, `-` and `_` aside. */
const CREDENTIAL_NAME =
  /^(?:password|pwd|passphrase|ssl(?:key)?password|accountkey|sharedaccesskey|sharedaccesssignature|sharedsecret|accesskey|secretkey|apikey|clientsecret|accesstoken|authtoken|sig)$/i;

/** `name=value` up to what ends a value in a connection string, a URL's query, or a Redis configuration. */
const SETTINGS = {
  ';': /(?:^|;)\s*([\w .-]{1,40}?)\s*=\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|\{[^}]*\}|[^;]*)/g,
  '&': /[?&#;]\s*([\w.-]{1,40})=([^&#\s]*)/g,
  ',': /(?:^|,)\s*([\w .-]{1,40}?)\s*=\s*([^,]*)/g,
};

/** The password of a URL such as `postgres://user:password@host`. */
const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^:@/?#]*:([^@/?#]+)@/i;

/** A credential inside a larger value, and the setting that it is the value of. */
export interface EmbeddedCredential {
  setting: string;
  value: string;
}

/** The credentials in a connection string or URL; none in any other text. A URL's are given decoded too. */
export function embeddedCredentials(text: string): EmbeddedCredential[] {
  const separator = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? '&' : isConnectionString(text) ? ';' : ',';
  const found: EmbeddedCredential[] = [];
  const add = (setting: string, value: string) => {
    if (value !== '' && !found.some((known) => known.value === value)) found.push({ setting, value });
  };
  const addWithDecoded = (setting: string, raw: string) => {
    add(setting, raw);
    add(setting, decoded(raw));
  };
  const password = URL_PASSWORD.exec(text)?.[1];
  if (password !== undefined) addWithDecoded('password', password);
  for (const [, setting, value] of text.matchAll(SETTINGS[separator])) {
    if (!CREDENTIAL_NAME.test(setting!.replaceAll(/[\s_.-]/g, ''))) continue;
    if (separator === '&') addWithDecoded(setting!, value!);
    else add(setting!, unquoted(value!.trim()));
  }
  return found;
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
