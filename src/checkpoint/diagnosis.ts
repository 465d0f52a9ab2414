import type { ErrorCode } from '../errors.ts';
import { SnapshotError } from '../errors.ts';

/** What CRIU says, what it means, and what the user can do. The first that matches the log wins. */
const KNOWN: { says: RegExp; code: ErrorCode; cause: string; fix?: string }[] = [
  {
    says: /No space left on device/,
    code: 'DS2006',
    cause: 'The disk became full while the process was dumped.',
  },
  {
    says: /suspending seccomp failed|PTRACE_O_SUSPEND_SECCOMP/,
    code: 'DS3003',
    cause: 'The app runs under a seccomp filter of its own, which only a privileged dump can suspend.',
    fix: 'Let the app not install a seccomp filter while it is warmed.',
  },
  {
    says: /fsnotify|inotify/,
    code: 'DS3003',
    cause: 'The app watches files by inotify, which can’t be dumped on a container’s file system.',
    fix: 'Use the framework’s file providers (they are switched to polling), or create the FileSystemWatcher only after the restore.',
  },
  {
    says: /io_uring/i,
    code: 'DS3003',
    cause: 'The app uses io_uring, which CRIU can’t dump.',
    fix: 'Switch io_uring off while the app is warmed (DOTNET_SYSTEM_NET_SOCKETS_IOURING=0 where the runtime has it).',
  },
  {
    says: /ghost file .*increase limit/i,
    code: 'DS3003',
    cause: 'The app holds a deleted file open that is larger than files-limit.',
    fix: 'Set files-limit (MiB) to the size that the log names or more, or close the file in a hook before the checkpoint.',
  },
  {
    says: /can't be kept|action scripts failed/i,
    code: 'DS3003',
    cause: 'A file that the app made can’t be copied into the snapshot.',
    fix: 'Let the app make files that its own user can read, and free space on the disk that holds Docker’s data.',
  },
  {
    says: /Can't lookup mount|unreachable|Can't dump ghost|ghost file/i,
    code: 'DS3003',
    cause: 'The app holds a file open that was deleted, or that lies on a mount that CRIU can’t see.',
    fix: 'Close or keep the file that the log names; temporary files must not be open at the checkpoint.',
  },
  {
    says: /unix.*(external|Can't dump half)|Can't dump half of stream unix/i,
    code: 'DS3003',
    cause: 'The app is connected to a unix socket outside of itself.',
    fix: 'Close the connection before the checkpoint, for instance to a database’s or agent’s socket.',
  },
  {
    says: /iptables|nftables|Can't lock|network.*lock/i,
    code: 'DS3003',
    cause: 'The app has open network connections that could not be locked.',
    fix: 'Close outbound connections when the app is idle (pool idle timeouts), or start it with a stand-in for the far end.',
  },
  {
    says: /Can't open map_files|map_files/,
    code: 'DS3003',
    cause: 'A process of the container runs as another user, or the kernel hides its mapped files.',
    fix: 'Start the app as one process under one user, without helper processes.',
  },
];

/** Characters of a log without error lines that are shown. */
const MAX_EXCERPT = 2000;

/** The failure that a log of `criu dump` tells of; the log's error lines are attached. */
export function diagnose(log: string): SnapshotError {
  const errors = log
    .split('\n')
    .filter((line) => /Error \(|^dotnet-snapshot: /.test(line))
    .slice(0, 8)
    .join('\n');
  const known = KNOWN.find(({ says }) => says.test(errors));
  return new SnapshotError(known?.code ?? 'DS3003', known?.cause ?? 'CRIU refused to dump the app.', {
    detail: errors || endOf(log),
    ...(known?.fix !== undefined && { fix: known.fix }),
  });
}

/** The last whole lines: half of a secret at the beginning would not be recognised, and so not masked. */
function endOf(log: string): string {
  return log.length <= MAX_EXCERPT ? log : log.slice(-MAX_EXCERPT).replace(/^[^\n]*\n?/, '');
}
