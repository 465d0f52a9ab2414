using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static Kinds.Native;

namespace Kinds;

/// <summary>Threads, what belongs to each, and signals.</summary>
internal static class Threads
{
    public static IEnumerable<Kind> Make(Worker main) =>
    [
        new NamedThread(),
        new ThreadValue(),
        new NiceThread(),
        new BatchThread(),
        new BlockedSignals(),
        new PendingSignal(),
        new IgnoredSignal(),
        new HandledSignal(),
        new Faults(),
        new HeldLock(),
        new TimedWait(),
        new Calculation(),
        new ProcessWideBarrier(),
        new DeepStack("stack of a new thread", action =>
        {
            Exception? failure = null;
            Thread thread = new(() => failure = Caught(action), 16 << 20);
            thread.Start();
            thread.Join();
            return failure;
        }),
        new DeepStack("stack of the first thread, which grows", action => main.Ask(() => Caught(action))),
        new AllThreads(),
    ];

    private static Exception? Caught(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (WrongException exception)
        {
            return exception;
        }
    }
}

internal sealed class NamedThread : Kind
{
    private readonly Worker _thread = new("kinds-named");
    private readonly int _number;

    public NamedThread() : base("name and number of a thread") => _number = _thread.Ask(ThreadNumber);

    public override void Check()
    {
        Expect.Equal(_number, _thread.Ask(ThreadNumber));
        Expect.Equal("kinds-named", File.ReadAllText($"/proc/self/task/{_number}/comm").TrimEnd());
    }
}

internal sealed class ThreadValue : Kind
{
    [ThreadStatic]
    private static string? s_value;

    private readonly Worker _one = new("kinds-value-1"), _other = new("kinds-value-2");
    private readonly ThreadLocal<int> _local = new();

    public ThreadValue() : base("values of threads of their own")
    {
        _one.Do(() => (s_value, _local.Value) = ("one", 1));
        _other.Do(() => (s_value, _local.Value) = ("other", 2));
    }

    public override void Check()
    {
        Expect.Equal(("one", 1), _one.Ask(() => (s_value, _local.Value)));
        Expect.Equal(("other", 2), _other.Ask(() => (s_value, _local.Value)));
    }
}

internal sealed class NiceThread : Kind
{
    private const int OfThread = 0, Nice = 5;
    private readonly Worker _thread = new("kinds-nice"), _other = new("kinds-not-nice");
    private readonly int _before;

    public NiceThread() : base("nice value of a thread")
    {
        _before = _other.Ask(() => GetNice(OfThread, ThreadNumber()));
        _thread.Do(() => Ok(SetNice(OfThread, ThreadNumber(), Nice)));
    }

    public override void Check()
    {
        Expect.Equal(Nice, _thread.Ask(() => GetNice(OfThread, ThreadNumber())));
        Expect.Equal(_before, _other.Ask(() => GetNice(OfThread, ThreadNumber())));
    }
}

internal sealed class BatchThread : Kind
{
    private const int Batch = 3;
    private readonly Worker _thread = new("kinds-batch");

    public BatchThread() : base("scheduling policy of a thread") => _thread.Do(() => Ok(SetScheduling(0, Batch, 0)));

    public override void Check()
    {
        Expect.Equal(Batch, _thread.Ask(() => GetScheduling(0)));
        Expect.Equal(0, GetScheduling(0));
    }
}

internal sealed class BlockedSignals : Kind
{
    private const int Number = FirstFree + 1;
    private readonly Worker _thread = new("kinds-blocked");

    public BlockedSignals() : base("signals that a thread blocks") =>
        _thread.Do(() => BlockSignal(Number));

    public override void Check()
    {
        string mask = ProcessStatus.Of($"self/task/{_thread.Ask(ThreadNumber)}", "SigBlk");
        Expect.Equal(1UL << (Number - 1), Convert.ToUInt64(mask, 16));
    }
}

internal sealed unsafe class PendingSignal : Kind
{
    private const int Number = FirstFree + 2;
    private readonly Worker _thread = new("kinds-pending");

    public PendingSignal() : base("signal that waits for a thread that blocks it") => _thread.Do(() =>
    {
        BlockSignal(Number);
        Send();
    });

    public override void Check() => _thread.Do(() =>
    {
        Expect.Equal(Number, WaitForSignal(SignalSet.Of(Number), null, default));
        Fails(TryAgain, WaitForSignal(SignalSet.Of(Number), null, default));
        Send();
    });

    private static void Send() => Ok(SignalThread(Environment.ProcessId, ThreadNumber(), Number));
}

internal sealed class IgnoredSignal : Kind
{
    private const nint Ignore = 1;

    public IgnoredSignal() : base("signal that is ignored") => SetSignal(User2, Ignore);

    public override void Check()
    {
        ulong ignored = Convert.ToUInt64(ProcessStatus.Of("self", "SigIgn"), 16);
        Expect.That((ignored & (1UL << (User2 - 1))) != 0);
        Ok(Signal(Environment.ProcessId, User2));
    }
}

internal sealed class HandledSignal : Kind
{
    private readonly SemaphoreSlim _handled = new(0);
    private readonly PosixSignalRegistration _registration;

    public HandledSignal() : base("signal that .NET handles") =>
        _registration = PosixSignalRegistration.Create(
            PosixSignal.SIGWINCH, _ => _handled.Release());

    public override void Check()
    {
        const int windowChanged = 28;
        Ok(Signal(Environment.ProcessId, windowChanged));
        Expect.That(_handled.Wait(TimeSpan.FromSeconds(2)), "the handler is called");
        GC.KeepAlive(_registration);
    }
}

/// <summary>.NET makes exceptions of signals of the CPU's faults.</summary>
internal sealed class Faults() : Kind("exceptions that begin as signals")
{
    private readonly string? _nothing = null;
    private readonly int _zero = 0;

    public override void Check()
    {
        Expect.Throws<NullReferenceException>(() => GC.KeepAlive(_nothing!.Length));
        Expect.Throws<DivideByZeroException>(() => GC.KeepAlive(1 / _zero));
    }
}

internal sealed class HeldLock : Kind
{
    private readonly Lock _lock = new();
    private readonly object _monitor = new();
    private readonly Worker _holder = new("kinds-holder");

    public HeldLock() : base("locks that a thread holds") => _holder.Do(() =>
    {
        _lock.Enter();
        Monitor.Enter(_monitor);
    });

    public override void Check()
    {
        Expect.That(!_lock.TryEnter() && !Monitor.TryEnter(_monitor), "another thread can't have them");
        _holder.Do(() =>
        {
            Expect.That(_lock.IsHeldByCurrentThread && Monitor.IsEntered(_monitor));
            _lock.Exit();
            Monitor.Exit(_monitor);
        });
        Expect.That(_lock.TryEnter(1000) && Monitor.TryEnter(_monitor, 1000), "another thread gets them");
        _lock.Exit();
        Monitor.Exit(_monitor);
        _holder.Do(() =>
        {
            _lock.Enter();
            Monitor.Enter(_monitor);
        });
    }
}

internal sealed class TimedWait : Kind
{
    private readonly SemaphoreSlim _asked = new(0);
    private readonly AutoResetEvent _answered = new(false);

    public TimedWait() : base("thread that waits with a limit of time") => new Thread(() =>
    {
        while (_asked.Wait(TimeSpan.FromHours(1)))
        {
            _answered.Set();
        }
    })
    { IsBackground = true, Name = "kinds-waits" }.Start();

    public override void Check()
    {
        Expect.That(!_answered.WaitOne(0));
        _asked.Release();
        Expect.That(_answered.WaitOne(2000));
    }
}

/// <summary>A thread whose registers of floating point hold sums, of which it is known what they must be.</summary>
internal sealed class Calculation() : Kind("floating point of a thread that calculates all the while")
{
    /// <summary>Some ten seconds, for a process that no one asks.</summary>
    private const long MostSteps = 10_000_000_000;

    private Thread? _thread;
    private bool _stop;
    private long _steps;
    private double _half, _quarter;
    private Vector256<double> _vector;

    public override void BeforeCheckpoint() => Start();

    public override void AfterRestore() => Expect.That(_thread is { IsAlive: true }, "it goes on");

    public override void Check()
    {
        if (_thread is null)
        {
            Start();
            Thread.Sleep(50);
        }

        Volatile.Write(ref _stop, true);
        _thread!.Join();
        _thread = null;
        Expect.That(_steps > 0);
        Expect.Equal(_steps * 0.5, _half);
        Expect.Equal(_steps * -0.25, _quarter);
        for (int lane = 0; lane < Vector256<double>.Count; lane++)
        {
            Expect.Equal(_steps * (lane + 1.0), _vector[lane]);
        }
    }

    private void Start()
    {
        _stop = false;
        _thread = new(Run) { IsBackground = true, Name = "kinds-calculates" };
        _thread.Start();
    }

    // Compiled for good at once, so that the sums are in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run()
    {
        long steps = 0;
        (double half, double quarter) = (0, 0);
        Vector256<double> vector = Vector256<double>.Zero, step = Vector256.Create(1.0, 2.0, 3.0, 4.0);
        while (steps < MostSteps && !Volatile.Read(ref _stop))
        {
            steps++;
            half += 0.5;
            quarter -= 0.25;
            vector += step;
        }

        (_steps, _half, _quarter, _vector) = (steps, half, quarter, vector);
    }
}

/// <summary>Ends the process where the kernel doesn't know that it was registered for it.</summary>
internal sealed class ProcessWideBarrier() : Kind("memory barrier of the whole process")
{
    public override void Check() => Interlocked.MemoryBarrierProcessWide();
}

internal sealed class DeepStack(string name, Func<Action, Exception?> run) : Kind(name)
{
    private const int Frame = 4096, Depth = 1000;

    public override void Check()
    {
        if (run(() => Expect.Equal(Depth, Descend(Depth))) is { } failure)
        {
            throw failure;
        }
    }

    private static int Descend(int depth)
    {
        if (depth == 0)
        {
            return 0;
        }

        Span<byte> frame = stackalloc byte[Frame];
        frame.Fill((byte)depth);
        int below = Descend(depth - 1);
        Expect.That(!frame.ContainsAnyExcept((byte)depth), "the stack holds what was put there");
        return below + 1;
    }
}

internal sealed class AllThreads : Kind
{
    private const string Folder = "/proc/self/task", Prefix = "kinds-";
    private readonly string[] _own = [.. Own()];

    public AllThreads() : base("all threads that there were")
    {
    }

    public override void Check()
    {
        string[] now = [.. Own()];
        foreach (string thread in _own.Where(thread => !thread.EndsWith("-sleep")))
        {
            Expect.That(now.Contains(thread), $"{thread} is there");
        }

        using System.Diagnostics.Process process = System.Diagnostics.Process.GetCurrentProcess();
        Expect.That(process.Threads.Count >= _own.Length);
        Expect.Equal(Environment.ProcessId, process.Id);
    }

    private static IEnumerable<string> Own() => Directory.GetDirectories(Folder)
        .Select(folder => $"{Path.GetFileName(folder)} {NameOf(folder)}")
        .Where(thread => thread.Contains(Prefix));

    /// <summary>Empty where the thread has ended meanwhile.</summary>
    private static string NameOf(string folder)
    {
        try
        {
            return File.ReadAllText($"{folder}/comm").TrimEnd();
        }
        catch (IOException)
        {
            return "";
        }
    }
}
