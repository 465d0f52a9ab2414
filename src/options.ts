/** One option, whichever door it comes through: an input of the action, a flag of the command line. */
export interface Option {
  /** One line, shown in --help, action.yml and the README. */
  help: string;
  /** Value where none is given; absent means there is none. */
  default?: string;
  /** What a value looks like, for --help. */
  value: string;
  /** `list` may be given several times as a flag, or line by line as an input. */
  kind?: 'list' | 'boolean';
}

/** Everything `build` and the action can be told. One table for both doors, --help, action.yml and the README. */
export const OPTIONS = {
  project: {
    value: 'PATH',
    help: 'Project file, solution with one app, C# program of one file, or a folder with one project or solution in it.',
  },
  dockerfile: { value: 'FILE', help: 'Dockerfile that builds the app, in place of a project.' },
  context: { value: 'FOLDER', help: 'Folder that COPY in the Dockerfile starts from. Default: the Dockerfile’s own.' },
  'build-args': { value: 'NAME=VALUE', kind: 'list', help: 'Build arguments of the Dockerfile, one a line or flag.' },
  target: { value: 'STAGE', help: 'Stage of the Dockerfile to build. Default: the last one.' },
  'build-secrets': {
    value: 'SECRET',
    kind: 'list',
    help: 'Secrets of the Dockerfile’s build: one id=NAME,env=VARIABLE or id=NAME,src=FILE a line or flag. Needs BuildKit.',
  },
  platform: {
    value: 'OS/ARCH',
    help: 'Platform to build the Dockerfile for: that of the engine, since an emulated app can’t be checkpointed.',
  },
  image: { value: 'NAME:TAG', help: 'Image of the app, here or to be pulled, in place of a project.' },
  traffic: {
    value: 'FILE',
    help: 'Recorded traffic (traffic.yaml) to warm the app with. Required, unless ready is not http or a warmup-command is given.',
  },
  name: {
    value: 'NAME',
    help: 'Name of the app in reports, comments and tags. Default: that of the project, Dockerfile’s folder or image.',
  },
  'base-image': {
    value: 'NAME:TAG',
    help: 'Base image for a project. Default: mcr.microsoft.com/dotnet/aspnet of its framework.',
  },
  framework: { value: 'TFM', help: 'Target framework, for a project that has several.' },
  'publish-args': { value: 'ARGUMENT', kind: 'list', help: 'Arguments for dotnet publish, one a line or flag.' },
  tag: { value: 'NAME:TAG', help: 'Tag of the restore-ready image. Default: dotnet-snapshot/NAME:restore-ready.' },
  user: { value: 'UID', help: 'User that the app runs as. Default: the image’s own; 1654 where that is root.' },
  port: { value: 'NUMBER', default: '8080', help: 'Port that the app listens on inside the container.' },
  host: {
    value: 'NAME',
    help: 'Host header of the build’s requests. Default: the one that the traffic names, else localhost.',
  },
  ready: {
    value: 'HOW',
    default: 'http',
    help: 'What tells that the app is ready: http (ready-path answers), port (it accepts connections), log:REGEX, file:PATH, or command:PROGRAM ARGUMENTS.',
  },
  'ready-path': { value: 'PATH', default: '/', help: 'Path that answers below 400 once the app is ready.' },
  'ready-timeout': { value: 'SECONDS', default: '60', help: 'How long the app may take to become ready.' },
  'warmup-timeout': { value: 'SECONDS', default: '120', help: 'No new round of the traffic starts after this time.' },
  'warmup-command': {
    value: 'COMMAND',
    help: 'Program with arguments that warms the app in place of traffic; run in its container, round by round.',
  },
  'warmup-seconds': {
    value: 'SECONDS',
    default: '10',
    help: 'How long the app works before its checkpoint where neither traffic nor warmup-command is given.',
  },
  'checkpoint-at': {
    value: 'WHEN',
    default: 'warmed',
    help: 'When the checkpoint is taken: warmed (after the rounds of traffic) or ready (as soon as the app is ready).',
  },
  'before-checkpoint-path': {
    value: 'PATH',
    help: 'Path of the app that is sent a POST right before the checkpoint, for instance to close what is open.',
  },
  'after-restore-path': {
    value: 'PATH',
    help: 'Path of the app that is sent a POST after each restore, before any request is answered.',
  },
  'production-env': {
    value: 'KEY=VALUE',
    kind: 'list',
    help: 'Environment that production gives the app, on top of env, one a line or flag: the build compares a clone under it with the app started normally under it.',
  },
  'may-differ': {
    value: 'NAME',
    kind: 'list',
    help: 'Settings that may differ from the build without a normal start, though they look as if only the start reads them: variables, configuration keys or paths, one a line or flag. A * at the end stands for any rest.',
  },
  timers: {
    value: 'HOW',
    default: 'catch-up',
    help: 'What timers do that became due while the snapshot was kept: catch-up (each fires once, right after the restore) or continue (they wait for as long as they still had to).',
  },
  'hook-timeout': {
    value: 'SECONDS',
    default: '10',
    help: 'How long the app’s hooks may take, before the checkpoint and after a restore.',
  },
  isa: {
    value: 'LEVEL',
    default: 'x86-64-v3',
    help: 'What the snapshot may ask of a CPU: x86-64-v2, x86-64-v3, x86-64-v4, or native (all that the build machine has).',
  },
  env: { value: 'KEY=VALUE', kind: 'list', help: 'Environment of the app while it is warmed, one a line or flag.' },
  'secrets-at-build': {
    value: 'HOW',
    help: 'What the app has of the secrets among env while it is warmed: real, placeholder (fakes of the same form), or scrub (real, and then overwritten in the snapshot). Default: scrub where env has secrets.',
  },
  network: { value: 'NAME', help: 'Docker network to run the app in, for instance with a database.' },
  writable: {
    value: 'PATH',
    kind: 'list',
    help: 'Path that is a tmpfs or a volume in production, beside /tmp; / where the whole root can be written to. Elsewhere the app can’t write, at the build as in production. One a line or flag.',
  },
  mount: {
    value: 'SOURCE:TARGET',
    kind: 'list',
    help: 'File, folder or volume to mount into the app’s containers, for instance required configuration: SOURCE:TARGET or SOURCE:TARGET:ro, one a line or flag.',
  },
  'files-limit': {
    value: 'MEBIBYTES',
    default: '64',
    help: 'The most MiB of files that the app made while it was warmed and that travel with the snapshot.',
  },
  secrets: {
    value: 'NAME=VALUE',
    kind: 'list',
    help: 'Values that must not be in the snapshot: one NAME=VALUE a line or flag, or a JSON object as toJSON(secrets) makes it.',
  },
  scan: {
    value: 'MODE',
    default: 'fail',
    help: 'What a secret in the snapshot does: fail (nothing is kept), warn (it is reported and all goes on), or off (nobody looks).',
  },
  'scan-policy': {
    value: 'FILE',
    help: 'YAML file with findings that are allowed, each with a reason and an expiry date.',
  },
  'scan-baseline': {
    value: 'FILE',
    help: 'JSON of an earlier scan; what it found is not counted again. Needs scan-key.',
  },
  'scan-config': {
    value: 'FILE',
    help: 'gitleaks configuration with more rules and allowlists. Default: .gitleaks.toml in the working folder, where there is one.',
  },
  'scan-key': {
    value: 'KEY',
    help: 'Secret of 16 characters or more; findings show values as hashes under it. Also env:NAME or file:PATH. Default: random for each scan.',
  },
  pairs: { value: 'NUMBER', default: '5', help: 'Pairs of cold and restored starts to measure.' },
  clones: {
    value: 'NUMBER',
    default: '3',
    help: 'Clones to restore and compare, with the app before the checkpoint and with each other.',
  },
  output: {
    value: 'FOLDER',
    help: 'Folder for the report and the snapshot. Default: out/NAME; on a runner, its temporary folder.',
  },
} as const satisfies Record<string, Option>;

/** What only the action is told. */
export const ACTION_OPTIONS = {
  cache: {
    value: 'BOOLEAN',
    kind: 'boolean',
    default: 'true',
    help: 'Reuse the snapshot of an unchanged app, and the runtime bundle, from the cache.',
  },
  artifact: {
    value: 'BOOLEAN',
    kind: 'boolean',
    default: 'true',
    help: 'Store the snapshot as an artifact of the run.',
  },
  'artifact-name': { value: 'NAME', help: 'Name of the artifact. Default: dotnet-snapshot-NAME.' },
  'retention-days': { value: 'DAYS', help: 'Days to keep the artifact. Default: the repository’s.' },
  comment: { value: 'BOOLEAN', kind: 'boolean', default: 'true', help: 'Comment the report on the pull request.' },
  'github-token': {
    value: 'TOKEN',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression that the runner evaluates, not a template.
    default: '${{ github.token }}',
    help: 'Token for the comment; needs pull-requests: write.',
  },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof OPTIONS;
export type ActionOptionName = keyof typeof ACTION_OPTIONS;
