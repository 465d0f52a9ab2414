/**
 * Variables that only the start of a process reads, as runtime/companion/StartOnly.cs has them: a clone with another value
 * than the build's starts normally.
 */
const START_ONLY =
  /^(?:(?:DOTNET|COMPlus|CORECLR|ASPNETCORE|LC)_.*|LD_PRELOAD|LD_LIBRARY_PATH|GLIBC_TUNABLES|OPENSSL_CONF|URLS|HTTPS?_PORTS|LANG|LANGUAGE|ICU_DATA|SSL_CERT_FILE|SSL_CERT_DIR|(?:HTTPS?|ALL|NO)_PROXY)$/i;

/** Whether only the start of a process reads a variable. */
export function isStartOnly(name: string): boolean {
  return START_ONLY.test(name);
}

/** How a secret in such a variable can be given otherwise. The host reads its settings without the prefix, too. */
export function fixForStartOnly(name: string): string {
  const [, rest] = /^(?:ASPNETCORE|DOTNET)_(.+)$/i.exec(name) ?? [];
  const other = rest === undefined ? '' : `under the name ${rest}, without the prefix, or `;
  return `${name} is only read when the app starts, so it can be neither replaced nor overwritten: give the secret ${other}by a mounted file.`;
}
