using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

namespace Kinds;

/// <summary>What .NET doesn't offer of the C library, and the numbers that go with it.</summary>
internal static unsafe partial class Native
{
    public const int ReadOnly = 0, WriteOnly = 1, ReadWrite = 2, Create = 0x40, Exclusive = 0x80, Append = 0x400;
    public const int NonBlocking = 0x800, CloseOnExec = 0x80000;
    public const int GetDescriptorFlags = 1, GetFlags = 3, GetLock = 5, SetLock = 6, GetOpenFileLock = 36, SetOpenFileLock = 37;
    public const int DuplicateFrom = 1030, SetPipeSize = 1031, GetPipeSize = 1032, AddSeals = 1033, GetSeals = 1034;
    public const int FromStart = 0, FromHere = 1;
    public const short LockForReading = 0, LockForWriting = 1;
    public const int TryAgain = 11, BadAddress = 14, NoSpace = 28;
    public const int ProtectNone = 0, ProtectRead = 1, ProtectWrite = 2;
    public const int Shared = 1, Private = 2, Anonymous = 0x20, NoReserve = 0x4000;
    public const int ClockRealTime = 0, ClockMonotonic = 1, ClockBoot = 7, Absolute = 1;
    public const int User1 = 10, User2 = 12, FirstFree = 44;
    private const int Block = 0;

    /// <summary>The result of a call, which is negative where it failed.</summary>
    public static nint Ok(nint result, [CallerArgumentExpression(nameof(result))] string call = "") =>
        result >= 0 ? result : throw new WrongException($"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    /// <summary>Expects a call to fail with an error number.</summary>
    public static void Fails(int error, nint result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result >= 0 || Marshal.GetLastPInvokeError() != error)
        {
            string happened = result >= 0 ? $"gives {result}" : Marshal.GetLastPInvokeErrorMessage();
            throw new WrongException($"{call}: {happened}, not {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <summary>Has the calling thread block a signal.</summary>
    public static void BlockSignal(int signal) => Expect.Equal(0, MaskSignals(Block, SignalSet.Of(signal), null));

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int OpenAt(int folder, string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, void* buffer, nint bytes);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, void* buffer, nint bytes);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial nint Seek(int descriptor, nint offset, int from);

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    public static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(ref PollEntry entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventDescriptor(uint counter, int flags);

    [LibraryImport("libc", EntryPoint = "signalfd", SetLastError = true)]
    public static partial int SignalDescriptor(int descriptor, in SignalSet signals, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int Epoll(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, void* entry);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, void* entries, int most, int milliseconds);

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    public static partial int Inotify(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int InotifyAdd(int descriptor, string path, uint events);

    [LibraryImport("libc", EntryPoint = "inotify_rm_watch", SetLastError = true)]
    public static partial int InotifyRemove(int descriptor, int watch);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int NewSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    public static partial int SocketPair(int family, int type, int protocol, int* ends);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int socket, void* address, int bytes);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(int socket, int how);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetSocketOption(int socket, int level, int name, void* value, int* bytes);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetSocketOption(int socket, int level, int name, void* value, int bytes);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nint bytes, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    public static partial int Protect(nint address, nint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    public static partial int Advise(nint address, nint bytes, int advice);

    [LibraryImport("libc", EntryPoint = "mlock", SetLastError = true)]
    public static partial int LockInMemory(nint address, nint bytes);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MemoryDescriptor(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(int descriptor, nint bytes);

    [LibraryImport("libc", EntryPoint = "sbrk", SetLastError = true)]
    public static partial nint Break(nint increment);

    /// <summary>The end of the heap without the C library, which keeps it in a variable.</summary>
    public static nint KernelBreak() =>
        SystemCall(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 214, 0);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint argument);

    [LibraryImport("libc", EntryPoint = "timerfd_create", SetLastError = true)]
    public static partial int TimerDescriptor(int clock, int flags);

    [LibraryImport("libc", EntryPoint = "timerfd_settime", SetLastError = true)]
    public static partial int SetTimerDescriptor(int descriptor, int flags, in TimerValue value, void* old);

    [LibraryImport("libc", EntryPoint = "timerfd_gettime", SetLastError = true)]
    public static partial int GetTimerDescriptor(int descriptor, out TimerValue value);

    [LibraryImport("libc", EntryPoint = "timer_create", SetLastError = true)]
    public static partial int CreateTimer(int clock, in SignalEvent notification, out nint timer);

    [LibraryImport("libc", EntryPoint = "timer_settime", SetLastError = true)]
    public static partial int SetTimer(nint timer, int flags, in TimerValue value, void* old);

    [LibraryImport("libc", EntryPoint = "timer_gettime", SetLastError = true)]
    public static partial int GetTimer(nint timer, out TimerValue value);

    [LibraryImport("libc", EntryPoint = "setitimer", SetLastError = true)]
    public static partial int SetIntervalTimer(int which, in TimerValue value, void* old);

    [LibraryImport("libc", EntryPoint = "getitimer", SetLastError = true)]
    public static partial int GetIntervalTimer(int which, out TimerValue value);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    public static partial int GetClock(int clock, out TimeValue time);

    [LibraryImport("libc", EntryPoint = "pthread_sigmask")]
    private static partial int MaskSignals(int how, in SignalSet signals, void* old);

    [LibraryImport("libc", EntryPoint = "tgkill", SetLastError = true)]
    public static partial int SignalThread(int process, int thread, int signal);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Signal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    public static partial nint SetSignal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "sigtimedwait", SetLastError = true)]
    public static partial int WaitForSignal(in SignalSet signals, void* information, in TimeValue timeout);

    [LibraryImport("libc", EntryPoint = "gettid")]
    public static partial int ThreadNumber();

    [LibraryImport("libc", EntryPoint = "getpid")]
    public static partial int ProcessNumber();

    [LibraryImport("libc", EntryPoint = "getsid", SetLastError = true)]
    public static partial int Session(int process);

    [LibraryImport("libc", EntryPoint = "getpgid", SetLastError = true)]
    public static partial int ProcessGroup(int process);

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    public static partial int SetNice(int which, int thread, int nice);

    [LibraryImport("libc", EntryPoint = "getpriority", SetLastError = true)]
    public static partial int GetNice(int which, int thread);

    [LibraryImport("libc", EntryPoint = "sched_setscheduler", SetLastError = true)]
    public static partial int SetScheduling(int thread, int policy, in int priority);

    [LibraryImport("libc", EntryPoint = "sched_getscheduler", SetLastError = true)]
    public static partial int GetScheduling(int thread);

    [LibraryImport("libc", EntryPoint = "umask")]
    public static partial int SetCreationMask(int mask);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int ControlProcess(int option, nint argument, nint third, nint fourth, nint fifth);

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    public static partial int GetLimit(int resource, out Limit limit);
}

/// <summary>struct pollfd</summary>
internal struct PollEntry
{
    public int Descriptor;
    public short Asked, Answered;
}

/// <summary>struct timespec</summary>
internal struct TimeValue
{
    public long Seconds, Nanoseconds;
}

/// <summary>struct itimerspec; struct itimerval, which has microseconds, is as large.</summary>
internal struct TimerValue
{
    public long IntervalSeconds, IntervalParts, Seconds, Parts;
}

/// <summary>struct sigevent</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct SignalEvent
{
    public nint Value;
    public int Signal, Notify;
}

/// <summary>struct flock</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FileLock
{
    public short Type, From;
    public long Start, Bytes;
    public int Process;
}

/// <summary>struct rlimit</summary>
internal struct Limit
{
    public ulong Soft, Hard;
}

/// <summary>sigset_t</summary>
[InlineArray(16)]
internal struct SignalSet
{
    private ulong _word;

    public static SignalSet Of(int signal)
    {
        SignalSet set = default;
        set[0] = 1UL << (signal - 1);
        return set;
    }
}
