using System.Diagnostics;
using System.Runtime.InteropServices;
using static Kinds.Native;

namespace Kinds;

/// <summary>Timers of the kernel and of .NET.</summary>
internal static class Clocks
{
    public static IEnumerable<Kind> Make() =>
    [
        new TimerDescriptorAlarm("timerfd, monotonic, relative", ClockMonotonic, 0),
        new TimerDescriptorAlarm("timerfd, monotonic, absolute", ClockMonotonic, Absolute),
        new TimerDescriptorAlarm("timerfd, real time, relative", ClockRealTime, 0),
        new TimerDescriptorAlarm("timerfd, real time, absolute", ClockRealTime, Absolute),
        new TimerDescriptorAlarm("timerfd, time since boot, relative", ClockBoot, 0),
        new SilentTimerAlarm(),
        new SignalTimerAlarm(),
        new DotnetTimerAlarm(),
        new DelayAlarm(),
        new SleepAlarm(),
        new PeriodicTimerDescriptor(),
        new ExpiredTimerDescriptor(),
        new IdleTimerDescriptor(),
        new IntervalTimers(),
        new Durations(),
        new WallClock(),
    ];

    public static TimeSpan Left(in TimerValue value, bool micro = false) =>
        TimeSpan.FromSeconds(value.Seconds) + TimeSpan.FromMicroseconds(micro ? value.Parts : value.Parts / 1000.0);
}

/// <summary>
/// What is to happen in an hour, or, where there is a checkpoint soon, in some seconds: then it must happen in the restored
/// process, neither at once nor later than what was left.
/// </summary>
internal abstract class Alarm(string name) : Kind(name)
{
    /// <summary>Longer than from the hook to the checkpoint.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan Late = TimeSpan.FromHours(1), Tolerance = TimeSpan.FromSeconds(1);

    private bool _isSoon;
    private long _since;

    public override void BeforeCheckpoint()
    {
        Arm(Soon);
        (_isSoon, _since) = (true, Stopwatch.GetTimestamp());
    }

    public override void AfterRestore()
    {
        _since = Stopwatch.GetTimestamp();
        Expect.That(!StandsStill || !Fired(), "it has not fired while the process was a file");
    }

    public override void Check()
    {
        if (_isSoon)
        {
            while (!Fired())
            {
                Expect.That(Stopwatch.GetElapsedTime(_since) < Soon + Tolerance, "it fires in time");
                Thread.Sleep(10);
            }

            Arm(Late);
            _isSoon = false;
        }

        Expect.That(!Fired(), "it has not fired");
        if (Left is { } left)
        {
            Expect.That(left > TimeSpan.Zero && left <= Late, $"what is left is {left}");
        }
    }

    /// <summary>Whether its time does not go on between checkpoint and restore.</summary>
    protected virtual bool StandsStill => true;

    /// <summary>Null where no one can tell.</summary>
    protected virtual TimeSpan? Left => null;

    protected void ArmLate() => Arm(Late);

    /// <summary>Sets or changes the time from now at which it fires once.</summary>
    protected abstract void Arm(TimeSpan due);

    protected abstract bool Fired();

    protected static TimerValue Once(TimeSpan due, int clock = ClockMonotonic, int flags = 0)
    {
        TimeValue now = default;
        if (flags == Absolute)
        {
            Ok(GetClock(clock, out now));
        }

        return new() { Seconds = now.Seconds + (long)due.TotalSeconds, Parts = now.Nanoseconds };
    }
}

internal sealed unsafe class TimerDescriptorAlarm : Alarm
{
    private readonly int _clock, _flags;
    private readonly Descriptor _timer;

    public TimerDescriptorAlarm(string name, int clock, int flags) : base(name)
    {
        (_clock, _flags) = (clock, flags);
        _timer = new(Ok(TimerDescriptor(clock, CloseOnExec)));
        ArmLate();
    }

    protected override TimeSpan? Left
    {
        get
        {
            Ok(GetTimerDescriptor(_timer.Number, out TimerValue value));
            return Clocks.Left(value);
        }
    }

    protected override void Arm(TimeSpan due) =>
        Ok(SetTimerDescriptor(_timer.Number, _flags, Once(due, _clock, _flags), null));

    protected override bool Fired()
    {
        if (!_timer.Readable())
        {
            return false;
        }

        // It stays readable until it is armed anew.
        Ok(GetTimerDescriptor(_timer.Number, out TimerValue value));
        Expect.Equal((0L, 0L), (value.Seconds, value.Parts));
        return true;
    }
}

/// <summary>A POSIX timer.</summary>
internal abstract unsafe class TimerAlarm : Alarm
{
    private readonly nint _timer;

    protected TimerAlarm(string name, SignalEvent notification) : base(name)
    {
        Ok(CreateTimer(ClockMonotonic, notification, out _timer));
        ArmLate();
    }

    protected override TimeSpan? Left
    {
        get
        {
            Ok(GetTimer(_timer, out TimerValue value));
            return Clocks.Left(value);
        }
    }

    protected override void Arm(TimeSpan due) => Ok(SetTimer(_timer, 0, Once(due), null));
}

internal sealed class SilentTimerAlarm() : TimerAlarm("POSIX timer without signal", new() { Notify = 1 })
{
    protected override bool Fired() => Left == TimeSpan.Zero;
}

internal sealed class SignalTimerAlarm : TimerAlarm
{
    private readonly PosixSignalRegistration _registration;
    private int _signals;

    public SignalTimerAlarm() : base("POSIX timer with a signal that .NET handles", new() { Signal = User1, Notify = 0 }) =>
        _registration = PosixSignalRegistration.Create((PosixSignal)User1, context =>
        {
            context.Cancel = true;
            Interlocked.Increment(ref _signals);
        });

    protected override void Arm(TimeSpan due)
    {
        Volatile.Write(ref _signals, 0);
        base.Arm(due);
    }

    protected override bool Fired()
    {
        GC.KeepAlive(_registration);
        return Volatile.Read(ref _signals) == 1;
    }
}

internal sealed class DotnetTimerAlarm : Alarm
{
    private readonly Timer _timer;
    private int _calls;

    public DotnetTimerAlarm() : base("Timer of .NET")
    {
        _timer = new(_ => Interlocked.Increment(ref _calls));
        ArmLate();
    }

    protected override bool StandsStill => false;

    protected override void Arm(TimeSpan due)
    {
        Volatile.Write(ref _calls, 0);
        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    protected override bool Fired() => Volatile.Read(ref _calls) == 1;
}

internal sealed class DelayAlarm : Alarm
{
    private Task _delay = Task.CompletedTask;

    public DelayAlarm() : base("Task.Delay that is awaited") => ArmLate();

    protected override bool StandsStill => false;

    protected override void Arm(TimeSpan due)
    {
        static async Task WaitAsync(TimeSpan due) => await Task.Delay(due);

        _delay = WaitAsync(due);
    }

    protected override bool Fired() => _delay.IsCompletedSuccessfully;
}

internal sealed class SleepAlarm : Alarm
{
    private Thread? _thread;

    public SleepAlarm() : base("Thread.Sleep in a thread of its own") => ArmLate();

    protected override bool StandsStill => false;

    protected override void Arm(TimeSpan due)
    {
        _thread?.Interrupt();
        _thread = new(() =>
        {
            try
            {
                Thread.Sleep(due);
            }
            catch (ThreadInterruptedException)
            {
                // Armed anew.
            }
        })
        { IsBackground = true, Name = "kinds-sleep" };
        _thread.Start();
    }

    protected override bool Fired() => !_thread!.IsAlive;
}

internal sealed unsafe class PeriodicTimerDescriptor : Kind
{
    private readonly Descriptor _timer = new(Ok(TimerDescriptor(ClockMonotonic, NonBlocking | CloseOnExec)));

    public PeriodicTimerDescriptor() : base("timerfd that fires again and again")
    {
        TimerValue often = new() { Parts = 20_000_000, IntervalParts = 20_000_000 };
        Ok(SetTimerDescriptor(_timer.Number, 0, often, null));
    }

    public override void Check()
    {
        Expect.That(_timer.Readable(1000));
        _timer.ReadNumber();
        Thread.Sleep(200);
        ulong ticks = _timer.ReadNumber();
        Expect.That(ticks is >= 5 and <= 100, $"{ticks} ticks in 200 ms");
    }
}

internal sealed unsafe class ExpiredTimerDescriptor : Kind
{
    private readonly Descriptor _timer = new(Ok(TimerDescriptor(ClockMonotonic, CloseOnExec)));

    public ExpiredTimerDescriptor() : base("timerfd that fired, which no one has read yet") => Arm();

    public override void Check()
    {
        Expect.That(_timer.Readable(1000));
        Expect.Equal(1UL, _timer.ReadNumber());
        Arm();
    }

    private void Arm() => Ok(SetTimerDescriptor(_timer.Number, 0, new() { Parts = 1 }, null));
}

internal sealed unsafe class IdleTimerDescriptor() : Kind("timerfd that is not armed")
{
    private readonly Descriptor _timer = new(Ok(TimerDescriptor(ClockMonotonic, NonBlocking | CloseOnExec)));

    public override void Check()
    {
        _timer.ReadsNothing();
        Ok(SetTimerDescriptor(_timer.Number, 0, new() { Parts = 1 }, null));
        Expect.That(_timer.Readable(1000));
        Expect.Equal(1UL, _timer.ReadNumber());
    }
}

internal sealed unsafe class IntervalTimers : Kind
{
    private const int Kinds = 3, Interval = 7;
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public IntervalTimers() : base("interval timers: real, virtual and profiling")
    {
        for (int which = 0; which < Kinds; which++)
        {
            TimerValue value = new() { Seconds = (long)Day.TotalSeconds, IntervalSeconds = Interval };
            Ok(SetIntervalTimer(which, value, null));
        }
    }

    public override void Check()
    {
        for (int which = 0; which < Kinds; which++)
        {
            Ok(GetIntervalTimer(which, out TimerValue value));
            TimeSpan left = Clocks.Left(value, micro: true);
            // The kernel counts CPU time in its own ticks, and adds one.
            Expect.That(left > Day - TimeSpan.FromHours(1) && left < Day + TimeSpan.FromSeconds(1), $"left of {which}: {left}");
            Expect.Equal((Interval, 0L), (value.IntervalSeconds, value.IntervalParts));
        }
    }
}

internal sealed class Durations() : Kind("Thread.Sleep and Task.Delay take their time")
{
    private const int Milliseconds = 200, Most = 2000;

    public override void Check()
    {
        Measure("Thread.Sleep", () => Thread.Sleep(Milliseconds));
        Measure("Task.Delay", () => Task.Delay(Milliseconds).Wait());
    }

    private static void Measure(string what, Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        double taken = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Expect.That(taken is > Milliseconds - 10 and < Most, $"{what} takes {taken} ms");
    }
}

/// <summary>.NET asks the vdso for the time; the time of a file is the kernel's own.</summary>
internal sealed class WallClock() : Kind("time of day")
{
    public override void Check()
    {
        string file = Path.GetTempFileName();
        TimeSpan difference = DateTime.UtcNow - File.GetLastWriteTimeUtc(file);
        File.Delete(file);
        Expect.That(difference.Duration() < TimeSpan.FromSeconds(1), $"the difference is {difference}");
    }
}
