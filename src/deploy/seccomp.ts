import { z } from 'zod';

const condition = z.object({
  arches: z.array(z.string()).optional(),
  caps: z.array(z.string()).optional(),
  minKernel: z.string().optional(),
});
const call = z.looseObject({
  names: z.array(z.string()),
  action: z.string(),
  comment: z.string().optional(),
  includes: condition.optional(),
  excludes: condition.optional(),
});
const dockerProfileSchema = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: z.number(),
  archMap: z.array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullable() })),
  syscalls: z.array(call),
});

/** A profile in the form of the OCI runtime specification, which every runtime reads alike. */
export interface SeccompProfile {
  defaultAction: string;
  defaultErrnoRet: number;
  architectures: string[];
  syscalls: { names: string[]; action: string; [property: string]: unknown }[];
}

/** `uname -m` to the name in conditions and to the one in maps of architectures; of those that .NET runs on. */
const ARCHITECTURES: Record<string, { native: string; seccomp: string }> = {
  x86_64: { native: 'amd64', seccomp: 'SCMP_ARCH_X86_64' },
  aarch64: { native: 'arm64', seccomp: 'SCMP_ARCH_AARCH64' },
};

/** A machine's architecture as Kubernetes and Go call it; `uname -m` itself where it is another. */
export function goArchitecture(machine: string): string {
  return ARCHITECTURES[machine]?.native ?? machine;
}

/**
 * A profile of Docker's form with its conditions decided, as Docker decides them when it starts a container with these
 * capabilities. containerd reads such a file without its conditions: each rule that Docker keeps for CAP_SYS_ADMIN,
 * such as mount and bpf, would hold for all. `machine` is `uname -m`; throws for one that the profile does not know.
 */
export function decideSeccomp(profile: unknown, machine: string, capabilities: readonly string[]): SeccompProfile {
  const { defaultAction, defaultErrnoRet, archMap, syscalls } = dockerProfileSchema.parse(profile);
  const architecture = ARCHITECTURES[machine];
  const map = archMap.find((entry) => entry.architecture === architecture?.seccomp);
  if (!architecture || !map) throw new Error(`The seccomp profile does not know the architecture ${machine}.`);
  const granted = capabilities.map((capability) => `CAP_${capability}`);
  const applies = ({ includes, excludes }: z.infer<typeof call>) =>
    // Every kernel that can restore is newer than any that a condition names.
    (includes?.arches?.includes(architecture.native) ?? true) &&
    (includes?.caps ?? []).every((name) => granted.includes(name)) &&
    !(excludes?.arches ?? []).includes(architecture.native) &&
    !(excludes?.caps ?? []).some((name) => granted.includes(name)) &&
    excludes?.minKernel === undefined;
  return {
    defaultAction,
    defaultErrnoRet,
    architectures: [map.architecture, ...(map.subArchitectures ?? [])],
    syscalls: syscalls.filter(applies).map(({ includes, excludes, comment, ...rule }) => rule),
  };
}
