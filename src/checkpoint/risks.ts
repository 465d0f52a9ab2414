import { z } from 'zod';

/** By kind: the type that a member holds, why that is risky in a clone, and what to do. */
const KINDS = {
  guid: {
    holds: 'Guid',
    why: 'every clone has the same value',
    fix: 'unless it is meant to be fixed, make it where it is used, or make it anew in RegisterAfterRestore',
  },
  random: {
    holds: 'Random',
    why: 'every clone continues with the same numbers',
    fix: 'use Random.Shared, or make it anew in RegisterAfterRestore',
  },
  identity: {
    holds: 'identity of a process',
    why: 'every clone has that of the build',
    fix: 'read it where it is used, or make it anew in RegisterAfterRestore',
  },
  key: {
    holds: 'byte[]',
    why: 'every clone has the same key material, and so has everyone who can read the image',
    fix: 'unless it is public, read it from the configuration or make it anew in RegisterAfterRestore',
  },
  'key-pair': {
    holds: 'key pair or certificate',
    why: 'every clone has the same key, and so has everyone who can read the image',
    fix: 'unless it has only a public key, make or load it anew in RegisterAfterRestore',
  },
  moment: {
    holds: 'date and time',
    why: 'every clone has the moment of the build',
    fix: 'unless it is meant to be fixed, ask the clock where it is used, or set it anew in RegisterAfterRestore',
  },
  'http-client': {
    holds: 'HttpClient',
    why: 'its connections are closed in every clone, and it keeps the proxy and credentials of the build',
    fix: 'use IHttpClientFactory, or make it anew in RegisterAfterRestore',
  },
  timer: {
    holds: 'timer',
    why: 'if it is overdue after a restore, it fires at once, in every clone',
    fix: 'let its work be safe to do at the start of each clone, or set it anew in RegisterAfterRestore',
  },
} as const;

/** The companion's answer: members of the app's code and its packages that need a look before the app is cloned. */
export const risksSchema = z.object({
  members: z.array(
    z.object({
      kind: z.enum(Object.keys(KINDS) as (keyof typeof KINDS)[]),
      assembly: z.string(),
      type: z.string(),
      member: z.string(),
    }),
  ),
  /** Assemblies, or lists of them, that could not be read. */
  unread: z.array(z.string()).default([]),
  /** Members beyond those that fit into the answer. */
  omitted: z.number().default(0),
});

export type Risks = z.infer<typeof risksSchema>;

/** One line for each member, in the companion's order, and one for what was not looked at. */
export function describeRisks({ members, unread, omitted }: Risks): string[] {
  const lines = members.map(({ kind, type, member }) => {
    const { holds, why, fix } = KINDS[kind];
    return `${type}.${member} (${holds}): ${why}; ${fix}.`;
  });
  if (omitted > 0) lines.push(`${omitted} more members like these are not shown.`);
  if (unread.length > 0) lines.push(`${unread.join(', ')} could not be read to look for such members.`);
  // Names come from the app's assemblies, where any character is allowed.
  return lines.map((line) => line.replace(/\p{C}/gu, '?'));
}

/** The companion's answer: private keys that the app holds. */
export const keysSchema = z.object({
  keys: z.array(
    z.object({ algorithm: z.string(), bits: z.number(), subject: z.string().nullable(), holder: z.string() }),
  ),
  /** False where the app has more objects than were looked at. */
  complete: z.boolean(),
});

export type LiveKeys = z.infer<typeof keysSchema>;

/** One line for each key, and one where not all of the app was looked at. */
export function describeKeys({ keys, complete }: LiveKeys): string[] {
  const lines = keys.map(({ algorithm, bits, subject, holder }) => {
    const what = `private key (${algorithm}, ${bits} bits)${subject === null ? '' : ` of the certificate ${subject}`}`;
    const fix = /Kestrel|Https/.test(holder)
      ? 'let production’s own configuration or a mounted file give the certificate, and make it anew in RegisterAfterRestore if the app made it'
      : 'make or load it anew in RegisterAfterRestore';
    return `${holder} holds a ${what}: every clone has it, and so has everyone who can read the image; ${fix}.`;
  });
  if (!complete) lines.push('The app has more objects than were looked at for private keys; there may be others.');
  return lines.map((line) => line.replace(/\p{C}/gu, '?'));
}
