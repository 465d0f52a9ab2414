import { FRAME_STACK, Writer } from './format.ts';
import { PAC_ADDRESS_KEYS, type ThreadCoreEntry, type ThreadInfoAarch64, type ThreadInfoX86 } from './messages.ts';

/** The registers of a thread and what else rt_sigreturn() takes. */
export interface FrameState {
  x86?: ThreadInfoX86 | undefined;
  arm64?: ThreadInfoAarch64 | undefined;
  sas: ThreadCoreEntry['sas'];
  mask: bigint;
}

/** Offsets in the frame of x86-64, which begins with the address to return to; a page of rt_sigreturn's begins 8 bytes later. */
const XSAVE_AT = 448;
/** The legacy area, the header and the upper halves of YMM. */
const XSAVE_BYTES = 512 + 64 + 256;
/** Where what lies beyond is stored: which components, then AVX-512's three and the protection keys. */
const EXTENDED_AT = 896;
const EXTENDED_BYTES = 64 + 64 + 512 + 1024 + 64;
/** Room for the image that the launcher builds of it. */
const EXTENDED_ROOM = 4096;

const UC_FP_XSTATE = 1;
const UC_SIGCONTEXT_SS = 2;
const UC_STRICT_RESTORE_SS = 4;
const [X87_SSE, X87_SSE_YMM] = [3, 7];
const OPMASK_ZMM = 0xe0n;
const PKRU = 0x200n;
/** What the kernel gives to a new process. */
const PKRU_USUAL = 0x5555_5554;

const ARM64_FRAME_BYTES = 4688;
/** struct keys of runtime/restorer/signing.c, behind the frame. */
const ARM64_KEYS_BYTES = 96;
const FPSIMD_MAGIC = 0x4650_8001;
const FPSIMD_BYTES = 528;

/** Bytes from one thread's frame to the next one's. */
export function frameStride(machine: 'x86_64' | 'aarch64', extended: boolean): number {
  const x86 = XSAVE_AT + EXTENDED_AT + (extended ? EXTENDED_BYTES + EXTENDED_ROOM : 0);
  return Math.ceil((FRAME_STACK + (machine === 'x86_64' ? x86 : ARM64_FRAME_BYTES + ARM64_KEYS_BYTES)) / 64) * 64;
}

/** Components of AVX-512 and protection keys that a thread has in use, as bits of xstate_bv. */
export function extendedState({ x86 }: FrameState): bigint {
  const xsave = x86?.fpregs?.xsave;
  if (!xsave) return 0n;
  const avx512 = [...xsave.opmaskReg, ...xsave.zmmUpper, ...xsave.hi16Zmm].some((word) => word !== 0n);
  const keys = (xsave.xstateBv & PKRU) !== 0n && xsave.pkru.length > 0 && xsave.pkru[0] !== PKRU_USUAL;
  return (avx512 ? xsave.xstateBv & OPMASK_ZMM : 0n) | (keys ? PKRU : 0n);
}

/** A thread's signal frame, without the stack before it. `at` is the address that it will have. */
export function frameOf(state: FrameState, at: number, extended: boolean): Buffer {
  return state.x86 ? x86Frame(state, state.x86, at, extended) : arm64Frame(state, state.arm64!);
}

/** struct rt_sigframe of x86-64, and what it points to. */
function x86Frame(state: FrameState, { gpregs, fpregs }: ThreadInfoX86, at: number, extended: boolean): Buffer {
  const { r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags } = gpregs;
  const writer = new Writer().u64(0, UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS, 0);
  signalStack(writer, state.sas)
    .u64(r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags)
    .u16(0x33, 0, 0, 0x2b)
    .u64(0, 0, 0, 0, fpregs ? at + XSAVE_AT : 0)
    .u64(...Array<number>(8).fill(0))
    .u64(state.mask)
    .until(XSAVE_AT);
  if (!fpregs) return writer.until(XSAVE_AT + EXTENDED_AT).take();
  const { xsave } = fpregs;
  const components = xsave ? X87_SSE_YMM : X87_SSE;
  writer
    .u16(fpregs.cwd, fpregs.swd, fpregs.twd, fpregs.fop)
    .u64(fpregs.rip, fpregs.rdp)
    .u32(fpregs.mxcsr, fpregs.mxcsrMask, ...fpregs.stSpace, ...fpregs.xmmSpace)
    .until(XSAVE_AT + 464)
    .u32(0x4650_5853, XSAVE_BYTES + 4)
    .u64(components)
    .u32(XSAVE_BYTES)
    .until(XSAVE_AT + 512)
    .u64((xsave ? xsave.xstateBv & BigInt(components) : 0n) | BigInt(X87_SSE))
    .until(XSAVE_AT + 576)
    .u32(...(xsave?.ymmhSpace ?? []))
    .until(XSAVE_AT + XSAVE_BYTES)
    .u32(0x4650_5845)
    .until(XSAVE_AT + EXTENDED_AT);
  if (!extended) return writer.take();
  const end = XSAVE_AT + EXTENDED_AT;
  writer.u64(extendedState(state)).until(end + 64);
  writer.u64(...(xsave?.opmaskReg ?? [])).until(end + 128);
  writer.u64(...(xsave?.zmmUpper ?? [])).until(end + 640);
  writer.u64(...(xsave?.hi16Zmm ?? [])).until(end + 1664);
  writer.u32(...(xsave?.pkru ?? []));
  return writer.until(end + EXTENDED_BYTES).take();
}

/** struct rt_sigframe of arm64, and the keys that return addresses are signed by. */
function arm64Frame(state: FrameState, { gpregs, fpsimd, pacKeys }: ThreadInfoAarch64): Buffer {
  const [address, generic] = [pacKeys?.pacAddressKeys, pacKeys?.pacGenericKeys];
  const writer = new Writer().until(128).u64(0, 0);
  return signalStack(writer, state.sas)
    .u64(state.mask)
    .until(128 + 176)
    .u64(0, ...gpregs.regs, gpregs.sp, gpregs.pc, gpregs.pstate)
    .align(16)
    .u32(FPSIMD_MAGIC, FPSIMD_BYTES, fpsimd.fpsr, fpsimd.fpcr)
    .u64(...fpsimd.vregs)
    .until(ARM64_FRAME_BYTES)
    .u64(...PAC_ADDRESS_KEYS.map((half) => address?.[half] ?? 0))
    .u64(generic?.apgakeyLo ?? 0, generic?.apgakeyHi ?? 0, address?.pacEnabledKey ?? 0, generic ? 1 : 0)
    .take();
}

/** stack_t: of signal handlers; none where the image tells of none (SS_DISABLE). */
function signalStack(writer: Writer, sas: FrameState['sas']): Writer {
  return writer
    .u64(sas?.ssSp ?? 0)
    .u32(sas?.ssFlags ?? 2, 0)
    .u64(sas?.ssSize ?? 0);
}
