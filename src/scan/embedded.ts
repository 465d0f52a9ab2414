/** A setting of a connection string whose value is a credential. */
const CREDENTIAL_SETTING =
  /(?:^|[;,&?])\s*(password|pwd|accountkey|sharedaccesskey|sharedaccesssignature|sig)\s*=\s*("[^"]+"|'[^']+'|[^;,&\s]+)/gi;

/** The password of a URL such as `postgres://user:password@host`. */
const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^:@/?#]*:([^@/?#]+)@/i;

/** A credential inside a larger value, and the setting that it is the value of. */
export interface EmbeddedCredential {
  setting: string;
  value: string;
}

/** The credentials in a connection string or URL; none in any other text. A URL's password is given decoded too. */
export function embeddedCredentials(text: string): EmbeddedCredential[] {
  const found = [...text.matchAll(CREDENTIAL_SETTING)].map(([, setting, value]) => ({
    setting: setting!,
    value: value!.replace(/^(["'])(.*)\1$/, '$2'),
  }));
  const raw = URL_PASSWORD.exec(text)?.[1];
  if (raw !== undefined) {
    for (const value of new Set([raw, decoded(raw)])) found.push({ setting: 'password', value });
  }
  return found;
}

/** True for `Key=value;Key=value`, the form of an ADO.NET connection string. */
export function isConnectionString(text: string): boolean {
  return /^\s*[A-Za-z][\w .]*=[^=;]+;/.test(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
