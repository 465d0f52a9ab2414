using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Timers over a restore. The monotonic clock of another machine stands elsewhere, ahead or behind, while every timer
/// remembers when it was started: unmended, all that are due "by now" would fire at once, or none for hours. They are
/// stopped before the checkpoint, and go on after the restore as if no time had passed. Once the app is safe, they learn how long
/// that was by the wall clock, as timers of a machine that was asleep do: each that is overdue fires once.
/// </summary>
internal sealed unsafe class Clock
{
    private const BindingFlags Members = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    // Private parts of the runtime, the same in .NET 8, 9 and 10 but for the kind of lock.
    private static readonly Type? s_queue = typeof(Timer).Assembly.GetType("System.Threading.TimerQueue");
    private static readonly Type? s_timer = typeof(Timer).Assembly.GetType("System.Threading.TimerQueueTimer");
    private static readonly PropertyInfo? s_instances = s_queue?.GetProperty("Instances", Members);
    private static readonly PropertyInfo? s_sharedLock = s_queue?.GetProperty("SharedLock", Members);
    private static readonly FieldInfo? s_event = s_queue?.GetField("s_timerEvent", Members);
    private static readonly FieldInfo? s_eventLock = s_queue?.GetField("s_timerEventLock", Members);
    private static readonly FieldInfo?[] s_lists = [s_queue?.GetField("_shortTimers", Members), s_queue?.GetField("_longTimers", Members)];
    private static readonly FieldInfo?[] s_queueTicks =
        [s_queue?.GetField("_currentTimerStartTicks", Members), s_queue?.GetField("_currentAbsoluteThreshold", Members), s_queue?.GetField("_scheduledDueTimeMs", Members)];
    private static readonly FieldInfo? s_next = s_timer?.GetField("_next", Members);
    private static readonly FieldInfo? s_state = s_timer?.GetField("_state", Members);
    private static readonly FieldInfo? s_startTicks = s_timer?.GetField("_startTicks", Members);
    private static readonly bool s_known =
        s_instances is not null && s_event is not null && s_next is not null && s_startTicks is not null
        && Array.TrueForAll(s_lists, list => list is not null) && Array.TrueForAll(s_queueTicks, ticks => ticks is not null);

    private static readonly FieldInfo? s_dueTime = s_timer?.GetField("_dueTime", Members);

    private readonly Stack<Action> _release = new();
    private readonly delegate* unmanaged<long, long, int> _shiftWaits = LoadShiftWaits();
    private bool _frozen;
    private long _frozenAt, _thawedAt;
    private DateTime _frozenOn;

    /// <summary>By the wall clock.</summary>
    private long _sleptMs;

    /// <summary>Whether overdue timers fire after a restore, or wait for as long as they had still to wait at the checkpoint.</summary>
    public static bool CatchesUp { get; set; } = true;

    /// <summary>Stops all timers: from here to <see cref="Thaw"/>, by the same thread, none fires and none can be set.</summary>
    public void Freeze()
    {
        if (_frozen)
        {
            return;
        }

        if (s_known)
        {
            // Queues first, then the event: the runtime's own order.
            foreach (object queue in Queues())
            {
                Hold(s_sharedLock?.GetValue(queue) ?? queue);
            }

            Hold(s_eventLock?.GetValue(null) ?? s_event!.GetValue(null)!);
        }

        _frozen = true;
        _frozenAt = Environment.TickCount64;
        _frozenOn = DateTime.UtcNow;
    }

    /// <summary>Lets the timers go on, after a restore by the clock that counts here.</summary>
    public void Thaw(bool restored)
    {
        if (!_frozen)
        {
            return;
        }

        _frozen = false;
        try
        {
            if (restored)
            {
                _thawedAt = Environment.TickCount64;
                _sleptMs = Math.Max(0, (long)(DateTime.UtcNow - _frozenOn).TotalMilliseconds);
                Shift(_thawedAt - _frozenAt);
            }
        }
        finally
        {
            while (_release.TryPop(out Action? release))
            {
                release();
            }
        }
    }

    /// <summary>
    /// After a restore, when callbacks find their environment, configuration and random numbers renewed: timers that were set before
    /// the checkpoint count the time since then. One that is overdue is due now; a periodic one counts its next period from now.
    /// </summary>
    public void CatchUp()
    {
        if (!CatchesUp || !s_known || s_dueTime is null)
        {
            return;
        }

        Freeze();
        long now = Environment.TickCount64;
        foreach (object queue in Queues())
        {
            foreach (FieldInfo? list in s_lists)
            {
                for (object? timer = list!.GetValue(queue); timer is not null; timer = s_next!.GetValue(timer))
                {
                    long start = (long)s_startTicks!.GetValue(timer)!;
                    if (start < _thawedAt)
                    {
                        s_startTicks.SetValue(timer, Math.Max(start - _sleptMs, now - (uint)s_dueTime.GetValue(timer)!));
                    }
                }
            }

            // All of them are looked at again, those that were far away, too.
            s_queueTicks[1]!.SetValue(queue, now - 1);
            s_queueTicks[2]!.SetValue(queue, now);
        }

        ((AutoResetEvent)s_event!.GetValue(null)!).Set();
        Thaw(restored: false);
    }

    /// <summary>What the callbacks of all timers that are set will be given.</summary>
    public List<object> States()
    {
        List<object> states = [];
        if (s_known && s_state is not null)
        {
            Freeze();
            foreach (object queue in Queues())
            {
                foreach (FieldInfo? list in s_lists)
                {
                    for (object? timer = list!.GetValue(queue); timer is not null; timer = s_next!.GetValue(timer))
                    {
                        if (s_state.GetValue(timer) is { } state)
                        {
                            states.Add(state);
                        }
                    }
                }
            }

            Thaw(restored: false);
        }

        return states;
    }

    private void Shift(long milliseconds)
    {
        if (s_known)
        {
            foreach (object queue in Queues())
            {
                foreach (FieldInfo? ticks in s_queueTicks)
                {
                    Add(milliseconds, ticks!, queue);
                }

                foreach (FieldInfo? list in s_lists)
                {
                    for (object? timer = list!.GetValue(queue); timer is not null; timer = s_next!.GetValue(timer))
                    {
                        Add(milliseconds, s_startTicks!, timer);
                    }
                }
            }

            // The thread that waits for the next timer looks again.
            ((AutoResetEvent)s_event!.GetValue(null)!).Set();
        }

        if (milliseconds < 0)
        {
            ShiftWaits(milliseconds);
        }
    }

    /// <summary>Threads that wait with a deadline of the old clock would wait for as long as this one is behind.</summary>
    private void ShiftWaits(long milliseconds)
    {
        if (Array.Exists(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == "System.Threading.RateLimiting"))
        {
            // Its limiters remember moments of the old clock, and would give nothing out before it comes round again.
            throw new RestoreException($"the monotonic clock is {-milliseconds / 1000} s behind the build's, and rate limiters can't be told");
        }

        if (!s_known || _shiftWaits is null || _shiftWaits(milliseconds * 1_000_000, _frozenAt * 1_000_000) != 0)
        {
            throw new RestoreException($"the monotonic clock is {-milliseconds / 1000} s behind the build's, and waiting threads can't be told on this system");
        }
    }

    private static void Add(long milliseconds, FieldInfo ticks, object owner) => ticks.SetValue(owner, (long)ticks.GetValue(owner)! + milliseconds);

    private static Array Queues() => (Array)s_instances!.GetValue(null)!;

    /// <summary>.NET 8 has monitors here, later ones System.Threading.Lock, which this code is too old to name.</summary>
    private void Hold(object guard)
    {
        if (guard.GetType().FullName == "System.Threading.Lock")
        {
            MethodInfo exit = guard.GetType().GetMethod("Exit", Type.EmptyTypes)!;
            guard.GetType().GetMethod("Enter", Type.EmptyTypes)!.Invoke(guard, null);
            // A delegate: reflection would have the JIT make a stub right after the restore.
            _release.Push(exit.CreateDelegate<Action>(guard));
        }
        else
        {
            Monitor.Enter(guard);
            _release.Push(() => Monitor.Exit(guard));
        }
    }

    /// <summary>Null with musl, whose waits keep no deadline that could be moved.</summary>
    private static delegate* unmanaged<long, long, int> LoadShiftWaits()
    {
        if (File.ReadLines("/proc/self/maps").Any(line => line.Contains("/ld-musl-", StringComparison.Ordinal)))
        {
            return null;
        }

        string library = Path.Combine(Path.GetDirectoryName(typeof(Clock).Assembly.Location)!, "waits.so");
        return NativeLibrary.TryLoad(library, out nint handle)
            ? (delegate* unmanaged<long, long, int>)NativeLibrary.GetExport(handle, "shift_waits")
            : null;
    }
}
