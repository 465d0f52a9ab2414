/**
 * Every failure a user can meet: a stable code, the exit status it leads to, and one line of fix.
 * docs/errors.md has a section for each code; a test holds the two equal.
 */
const CATALOGUE = {
  // DS1xxx: what was asked for can't be understood.
  DS1001: { exit: 2, fix: 'Correct the input or flag; `--help` lists them all.' },
  DS1002: { exit: 2, fix: 'Name the project file: --project path/to/App.csproj.' },
  DS1003: { exit: 2, fix: 'Keep one project per folder, or name the project file itself.' },
  DS1004: { exit: 2, fix: 'Correct the traffic file at the place named; schema/traffic.schema.json describes it.' },
  DS1005: { exit: 2, fix: 'Add at least one request to the traffic file.' },
  DS1006: { exit: 2, fix: 'Use a web or worker project (OutputType Exe), not a library or a test project.' },
  DS1007: { exit: 2, fix: 'Start the app with `dotnet-snapshot warm`, and name the container that it prints.' },
  // DS2xxx: the tools or the build failed.
  DS2001: {
    exit: 1,
    fix: 'Install and start Docker, and let this user reach its socket; `docker version` must show a server.',
  },
  DS2002: { exit: 1, fix: 'Mend the compiler errors shown; `dotnet publish` must succeed on its own.' },
  DS2003: { exit: 1, fix: 'Install the .NET SDK that the project needs; `dotnet --version` must run.' },
  DS2004: { exit: 1, fix: 'Look at the build output shown; the base image must exist and be reachable.' },
  DS2005: { exit: 1, fix: 'Run it again: the port on this machine is chosen anew; or stop what holds it.' },
  DS2006: { exit: 1, fix: 'Free space on the disk that holds Docker’s data and the output folder, then run again.' },
  DS2007: { exit: 130, fix: 'Run it again; containers and temporary files of this run are gone.' },
  DS2008: {
    exit: 1,
    fix: 'Let `docker build` reach a Debian mirror (the runtime bundle is built there from packages and sources), then run again.',
  },
  DS2009: {
    exit: 1,
    fix: 'Build the image first, or correct its name; `docker pull IMAGE` or `docker image inspect IMAGE` must find it.',
  },
  // DS3xxx: the app can't be checkpointed.
  DS3001: {
    exit: 3,
    fix: 'Mend what the app’s log shows, or set --ready-path, --port and --ready-timeout to what the app answers.',
  },
  DS3002: { exit: 3, fix: 'Mend what the app’s log shows; it must keep running while it is warmed.' },
  DS3003: { exit: 3, fix: 'Follow the hint shown for what CRIU refused; docs/errors.md lists the known ones.' },
  DS3004: {
    exit: 3,
    fix: 'Use a kernel of 5.9 or newer with CONFIG_CHECKPOINT_RESTORE; GitHub’s ubuntu runners have it.',
  },
  DS3005: { exit: 3, fix: 'Build the image with `dotnet-snapshot build`; it adds CRIU under /opt/dotnet-snapshot.' },
  DS3006: {
    exit: 3,
    fix: 'Give the image an entrypoint or command that starts the .NET app directly, without a shell.',
  },
  DS3007: { exit: 3, fix: 'Mend the hook that is named; it runs in the app right before the checkpoint.' },
  DS3008: {
    exit: 3,
    fix: 'Do for each thing what is told beside its name, or open it only after the restore, in a hook (RegisterAfterRestore).',
  },
  DS3011: {
    exit: 3,
    fix: 'Set these variables in the image (ENV) or with `env`, in production with --env, and start the app without the script; a restored app has the variables of its container.',
  },
  DS3012: {
    exit: 3,
    fix: 'Publish the app as .NET 8 or newer, untrimmed and without NativeAOT, and start it with the variables of its container.',
  },
  DS3014: {
    exit: 3,
    fix: 'Set `files-limit` to the size that is named, or close the files in a hook before the checkpoint.',
  },
  // DS4xxx: the secrets gate.
  DS4001: {
    exit: 4,
    fix: 'Keep the value out of the snapshot: warm the app with `secrets-at-build: placeholder`, or `scrub` where it needs the real one.',
  },
  DS4002: {
    exit: 4,
    fix: 'The snapshot’s image files could not be read whole, so they count as unsafe; take the checkpoint again.',
  },
  DS4003: {
    exit: 4,
    fix: 'Take the checkpoint again: its images may have been changed. If it happens again, the scan is blind; please report it with the encodings named.',
  },
  // DS5xxx: the restored app is not the app that was checkpointed.
  DS5001: { exit: 5, fix: 'Compare the two answers shown; correct the app or the expectation in the traffic file.' },
  DS5002: {
    exit: 5,
    fix: 'Look at the restore log shown; it names what is missing. A restore needs no capability and no flag.',
  },
  DS5003: { exit: 5, fix: 'Compare the two answers shown; state that a restore loses must not be part of the answer.' },
  DS5004: {
    exit: 5,
    fix: 'Make the value that is named anew after the restore, in a hook (RegisterAfterRestore), or each time it is used.',
  },
  DS5005: {
    exit: 5,
    fix: 'Mend the hook that is named, or warm the app with the setting that the container has (env); name it in may-differ if the app follows it.',
  },
  DS5006: {
    exit: 5,
    fix: 'Run it on a node that has what is named, or build the snapshot with the `isa` that is named.',
  },
  DS5007: {
    exit: 5,
    fix: 'Pull or build the image again; its files under /opt/dotnet-snapshot are not those of the build.',
  },
  DS5008: { exit: 5, fix: 'Build the snapshot again from the changed app; a snapshot holds the app as it was.' },
  DS5009: { exit: 5, fix: 'Give the container what is named; `dotnet-snapshot run --print IMAGE` shows all flags.' },
  DS5013: {
    exit: 5,
    fix: 'Warm the app with the setting that is named (env), or read it anew where it is used or in a hook (RegisterAfterRestore).',
  },
  // DS6xxx: storing and reporting.
  DS6001: {
    exit: 1,
    fix: 'Check the runner’s connection to the artifact service and that the artifact’s name is unused in this run.',
  },
  DS6002: { exit: 1, fix: 'Name a folder or image that `dotnet-snapshot build` made; it holds manifest.json.' },
  // DS9xxx: our own fault.
  DS9001: { exit: 1, fix: 'This is a defect of dotnet-snapshot; please report it with the output shown.' },
} as const satisfies Record<string, { exit: number; fix: string }>;

/** A stable error code, `DS` and four digits. */
export type ErrorCode = keyof typeof CATALOGUE;

/** All codes, for the documentation and the test that holds it equal. */
export const ERROR_CODES = Object.keys(CATALOGUE) as ErrorCode[];

/** The general fix of a code, one line. */
export function fixOf(code: ErrorCode): string {
  return CATALOGUE[code].fix;
}

/** An expected failure, told in the user's words. `detail` holds what another tool printed, never the only message. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code: ErrorCode;
  readonly fix: string;
  readonly detail: string | undefined;

  constructor(code: ErrorCode, cause: string, options: { fix?: string; detail?: string } = {}) {
    super(cause);
    this.code = code;
    this.fix = options.fix ?? CATALOGUE[code].fix;
    this.detail = options.detail;
  }

  /** The process's exit status for this failure: 1 unexpected, 2 usage, 3 not checkpointable, 4 secrets, 5 verification, 130 interrupted. */
  get exitCode(): number {
    return CATALOGUE[this.code].exit;
  }

  /** Code, cause, detail and fix, ready to print. */
  format(): string {
    const lines = [`${this.code}: ${this.message}`];
    if (this.detail)
      lines.push(
        ...this.detail
          .trimEnd()
          .split('\n')
          .map((line) => `  | ${line}`),
      );
    lines.push(`  fix: ${this.fix}`, `  more: docs/errors.md#${this.code.toLowerCase()}`);
    return lines.join('\n');
  }
}

/** Any thrown value as a SnapshotError; what nobody foresaw becomes DS9001 with its stack as detail. */
export function toSnapshotError(error: unknown): SnapshotError {
  if (error instanceof SnapshotError) return error;
  const detail = error instanceof Error ? error.stack : undefined;
  const cause = error instanceof Error ? error.message : String(error);
  return new SnapshotError('DS9001', cause, detail === undefined ? {} : { detail });
}
