/**
 * The messages of CRIU's image files, with the fields that a plan is made of; images/*.proto in CRIU's source tells what
 * each means. Names are those of the .proto files in camel case. A field without value reads as zero, false or '', where
 * not marked as optional.
 */

/** mm.proto */
export interface MmEntry {
  mmStartCode: bigint;
  mmEndCode: bigint;
  mmStartData: bigint;
  mmEndData: bigint;
  mmStartStack: bigint;
  mmStartBrk: bigint;
  mmBrk: bigint;
  mmArgStart: bigint;
  mmArgEnd: bigint;
  mmEnvStart: bigint;
  mmEnvEnd: bigint;
  exeFileId: number;
  mmSavedAuxv: bigint[];
  vmas: VmaEntry[];
  dumpable?: number;
  aios: unknown[];
  thpDisabled: boolean;
}

/** vma.proto */
export interface VmaEntry {
  start: bigint;
  end: bigint;
  pgoff: bigint;
  shmid: bigint;
  prot: number;
  flags: number;
  status: number;
  madv: bigint;
  fdflags: number;
}

/** pagemap.proto */
export interface PagemapEntry {
  vaddr: bigint;
  compatNrPages: number;
  inParent: boolean;
  flags?: number;
  nrPages: bigint;
}

/** fdinfo.proto */
export interface FdinfoEntry {
  id: number;
  flags: number;
  type: number;
  fd: number;
}

/** fown.proto */
export interface FownEntry {
  signum: number;
  pid: number;
}

/** sk-opts.proto */
export interface SkOptsEntry {
  soSndbuf: number;
  soRcvbuf: number;
  soSndTmoSec: bigint;
  soSndTmoUsec: bigint;
  soRcvTmoSec: bigint;
  soRcvTmoUsec: bigint;
  reuseaddr: boolean;
  soPriority: number;
  soRcvlowat: number;
  soMark: number;
  soPasscred: boolean;
  soPasssec: boolean;
  soDontroute: boolean;
  soNoCheck: boolean;
  soBoundDev: string;
  soFilter: bigint[];
  soReuseport: boolean;
  soBroadcast: boolean;
  soKeepalive: boolean;
  soOobinline: number;
  soLinger?: number;
  soBufLock: number;
}

/** sk-inet.proto */
export interface InetSkEntry {
  family: number;
  type: number;
  proto: number;
  state: number;
  srcPort: number;
  dstPort: number;
  flags: number;
  backlog: number;
  srcAddr: number[];
  dstAddr: number[];
  fown: FownEntry;
  opts: SkOptsEntry;
  v6only: boolean;
  ipOpts?: { freebind: boolean; pktinfo: boolean; tos: number; ttl: number };
  ifname: string;
  shutdown: number;
  tcpOpts?: { cork: boolean; nodelay: boolean; keepcnt: number; keepidle: number; keepintvl: number };
}

/** sk-unix.proto */
export interface UnixSkEntry {
  ino: number;
  type: number;
  state: number;
  flags: number;
  uflags: number;
  backlog: number;
  peer: number;
  fown: FownEntry;
  opts: SkOptsEntry;
  name: Uint8Array;
  shutdown: number;
  filePerms?: { mode: number };
  nameDir: string;
  deleted: boolean;
}

/** sk-netlink.proto */
export interface NetlinkSkEntry {
  protocol: number;
  state: number;
  flags: number;
  portid: number;
  groups: number[];
  fown: FownEntry;
  opts: SkOptsEntry;
}

/** regfile.proto */
export interface RegFileEntry {
  flags: number;
  pos: bigint;
  fown: FownEntry;
  name: string;
  ext: boolean;
}

/** fdinfo.proto: an open file, with the member that its type calls for. */
export interface FileEntry {
  type: number;
  id: number;
  reg?: RegFileEntry;
  isk?: InetSkEntry;
  nlsk?: NetlinkSkEntry;
  efd?: { flags: number; fown: FownEntry; counter: bigint };
  epfd?: { flags: number; fown: FownEntry; tfd: { tfd: number; events: number; data: bigint }[] };
  sgfd?: { flags: number; fown: FownEntry; sigmask: bigint };
  tfd?: TimerfdEntry;
  ify?: { flags: number; fown: FownEntry; wd: unknown[] };
  usk?: UnixSkEntry;
  fifo?: { pipeId: number; regfId: number };
  pipe?: { pipeId: number; flags: number; fown: FownEntry };
  memfd?: { flags: number; pos: bigint; fown: FownEntry; inodeId: number };
}

/** timerfd.proto */
export interface TimerfdEntry {
  flags: number;
  fown: FownEntry;
  clockid: number;
  ticks: bigint;
  settimeFlags: number;
  vsec: bigint;
  vnsec: bigint;
  isec: bigint;
  insec: bigint;
}

/** memfd.proto */
export interface MemfdInodeEntry {
  name: string;
  size: bigint;
  shmid: number;
  seals: number;
  inodeId: bigint;
  hugetlbFlag: number;
}

/** remap-file-path.proto */
export interface RemapFilePathEntry {
  origId: number;
  remapId: number;
  remapType: number;
}

/** ghost-file.proto */
export interface GhostFileEntry {
  mode: number;
  chunks: boolean;
  size: bigint;
}

/** file-lock.proto */
export interface FileLockEntry {
  flag: number;
  type: number;
  pid: number;
  fd: number;
  start: bigint;
  len: bigint;
}

/** core-x86.proto */
export interface ThreadInfoX86 {
  clearTidAddr: bigint;
  gpregs: Record<(typeof X86_REGISTERS)[number], bigint> & { mode: number };
  fpregs?: {
    cwd: number;
    swd: number;
    twd: number;
    fop: number;
    rip: bigint;
    rdp: bigint;
    mxcsr: number;
    mxcsrMask: number;
    stSpace: number[];
    xmmSpace: number[];
    xsave?: {
      xstateBv: bigint;
      ymmhSpace: number[];
      opmaskReg: bigint[];
      zmmUpper: bigint[];
      hi16Zmm: bigint[];
      pkru: number[];
      cet?: { cet: bigint };
    };
  };
}

/** Registers of user_x86_regs_entry that a plan keeps. */
export const X86_REGISTERS = [
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
  'di',
  'si',
  'bp',
  'bx',
  'dx',
  'ax',
  'cx',
  'sp',
  'ip',
  'flags',
  'fsBase',
  'gsBase',
] as const;

/** Halves of the keys of pac_address_keys, as the kernel takes them. */
export const PAC_ADDRESS_KEYS = [
  ...(['apiakeyLo', 'apiakeyHi', 'apibkeyLo', 'apibkeyHi'] as const),
  ...(['apdakeyLo', 'apdakeyHi', 'apdbkeyLo', 'apdbkeyHi'] as const),
] as const;

/** core-aarch64.proto */
export interface ThreadInfoAarch64 {
  clearTidAddr: bigint;
  tls: bigint;
  gpregs: { regs: bigint[]; sp: bigint; pc: bigint; pstate: bigint };
  fpsimd: { vregs: bigint[]; fpsr: number; fpcr: number };
  pacKeys?: {
    pacAddressKeys?: { [half in (typeof PAC_ADDRESS_KEYS)[number]]: bigint } & { pacEnabledKey: bigint };
    pacGenericKeys?: { apgakeyLo: bigint; apgakeyHi: bigint };
  };
}

/** core.proto */
export interface ThreadCoreEntry {
  futexRla: bigint;
  futexRlaLen: number;
  schedNice: number;
  schedPolicy: number;
  schedPrio: number;
  blkSigset: bigint;
  sas?: { ssSp: bigint; ssSize: bigint; ssFlags: number };
  pdeathSig: number;
  signalsP?: SignalQueueEntry;
  seccompMode: number;
  comm: string;
  rseqEntry?: { rseqAbiPointer: bigint; rseqAbiSize: number; signature: number; rseqCsPointer: bigint };
}

/** siginfo.proto */
export interface SignalQueueEntry {
  signals: { siginfo: Uint8Array }[];
}

/** timer.proto */
export interface ItimerEntry {
  isec: bigint;
  iusec: bigint;
  vsec: bigint;
  vusec: bigint;
}

/** timer.proto */
export interface PosixTimerEntry {
  itId: number;
  clockId: number;
  siSigno: number;
  itSigevNotify: number;
  sivalPtr: bigint;
  isec: bigint;
  insec: bigint;
  vsec: bigint;
  vnsec: bigint;
  notifyThreadId: number;
}

/** core.proto */
export interface TaskCoreEntry {
  taskState: number;
  blkSigset: bigint;
  comm: string;
  timers?: { real: ItimerEntry; virt: ItimerEntry; prof: ItimerEntry; posix: PosixTimerEntry[] };
  rlimits?: { rlimits: { cur: bigint; max: bigint }[] };
  signalsS?: SignalQueueEntry;
  oldSeccompMode: number;
  sigactions: { sigaction: bigint; flags: bigint; restorer: bigint; mask: bigint; compatSigaction: boolean }[];
  childSubreaper: boolean;
  membarrierRegistrationMask: number;
}

/** core.proto: a thread; the process's first one has `tc`, too. */
export interface CoreEntry {
  threadInfo?: ThreadInfoX86;
  tiAarch64?: ThreadInfoAarch64;
  tc?: TaskCoreEntry;
  threadCore?: ThreadCoreEntry;
}

/** pstree.proto */
export interface PstreeEntry {
  pid: number;
  threads: number[];
}

/** fs.proto */
export interface FsEntry {
  cwdId: number;
  rootId: number;
  umask: number;
}

/** pipe-data.proto */
export interface PipeDataEntry {
  pipeId: number;
  bytes: number;
  size: number;
}
