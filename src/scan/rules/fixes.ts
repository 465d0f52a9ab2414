const AFTER_RESTORE =
  'If `env` gives it, warm the app with `secrets-at-build: placeholder`, or `scrub` where it needs the real value; if not, let it reach the app after the restore.';
const NOT_REACHED =
  '`secrets-at-build` reaches only secrets among `env`, and not those that only the start reads: give it so, or let it reach the app after the restore.';
const REVOKE = `${AFTER_RESTORE} If the snapshot left this machine, revoke it.`;
const IN_TRAFFIC =
  'It came with a request or an answer while the app was warmed: use a test credential that is worth nothing elsewhere, or leave that request out.';
const KEY_FILE = 'Load the key at first use or after the restore, so that it is not in memory at the checkpoint.';

/** By rule. All others tell of a service's token: {@link REVOKE}. */
const FIXES: Readonly<Record<string, string>> = {
  'known-value': AFTER_RESTORE,
  'private-key': KEY_FILE,
  'private-key-der': KEY_FILE,
  'encrypted-private-key-der': `${KEY_FILE} Its password may be in memory too.`,
  pfx: `${KEY_FILE} Its password may be in memory too.`,
  'jwk-private-key': KEY_FILE,
  'data-protection-key':
    'Warm the app with its own throwaway key ring, and let the real one be loaded after the restore.',
  'machine-key': 'Warm the app with a throwaway machine key, and let the real one be loaded after the restore.',
  'connection-string': `${AFTER_RESTORE} A pool of connections keeps the whole string: clear it before the checkpoint.`,
  'url-password': AFTER_RESTORE,
  'aspnet-antiforgery': IN_TRAFFIC,
  'aspnet-cookie': IN_TRAFFIC,
  'aspnet-protected-data': IN_TRAFFIC,
  jwt: IN_TRAFFIC,
  'basic-authorization': IN_TRAFFIC,
  'bearer-authorization': IN_TRAFFIC,
  'authorization-header': IN_TRAFFIC,
  'api-key-header': IN_TRAFFIC,
  'session-cookie': IN_TRAFFIC,
  'form-credential': IN_TRAFFIC,
  'curl-auth-header': IN_TRAFFIC,
  'curl-auth-user': IN_TRAFFIC,
  'generic-secret-setting': AFTER_RESTORE,
  'nuget-config-credential':
    'Keep nuget.config out of what the app reads, and the feed’s password out of the build’s environment while the app is warmed.',
};

/** Whether a rule tells of what requests and answers carry: the app may have kept it in a buffer for a moment only. */
export function isOfTraffic(ruleId: string): boolean {
  return fixOf(ruleId) === IN_TRAFFIC;
}

/** What to do about a finding of a rule, one line. `reached`: what can be done about variables of `env` is done. */
export function fixOf(ruleId: string, reached = false): string {
  const fix = Object.hasOwn(FIXES, ruleId) ? FIXES[ruleId]! : REVOKE;
  return reached ? fix.replace(AFTER_RESTORE, NOT_REACHED) : fix;
}
