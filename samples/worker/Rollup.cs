using Microsoft.Extensions.Options;

namespace Worker;

/// <summary>The queue of posted readings and the aggregates they are rolled up into. Safe to use from any thread.</summary>
public sealed class Rollup(IOptions<RollupOptions> options, TimeProvider clock)
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, Running> sensors = new(StringComparer.Ordinal);
    private readonly int capacity = options.Value.QueueCapacity;
    private readonly List<Reading> waiting = [];
    private TaskCompletionSource nextTick = NewSignal();
    private long ticks;
    private DateTimeOffset? lastTick;

    /// <summary>Takes all of the readings or, where the queue has no room for them, none: null then.</summary>
    public Accepted? TryAdd(IReadOnlyList<Reading> readings)
    {
        lock (gate)
        {
            if (waiting.Count + readings.Count > capacity) return null;
            waiting.AddRange(readings);
            return new Accepted(readings.Count, ticks + 1);
        }
    }

    /// <summary>Rolls up all that waits; returns how many readings that were.</summary>
    public int Tick()
    {
        lock (gate)
        {
            foreach (var reading in waiting)
            {
                if (!sensors.TryGetValue(reading.Sensor!, out var running)) sensors[reading.Sensor!] = running = new Running();
                running.Add(reading.Value!.Value);
            }

            var rolledUp = waiting.Count;
            waiting.Clear();
            ticks++;
            lastTick = clock.GetUtcNow();
            nextTick.SetResult();
            nextTick = NewSignal();
            return rolledUp;
        }
    }

    /// <summary>Waits until that many ticks are done.</summary>
    /// <exception cref="TimeoutException">They were not done in time.</exception>
    public async Task WaitForAsync(long tick, TimeSpan patience, CancellationToken cancel)
    {
        var deadline = clock.GetUtcNow() + patience;
        while (NextUnless(tick) is { } next)
        {
            var left = deadline - clock.GetUtcNow();
            if (left <= TimeSpan.Zero) throw new TimeoutException();
            await next.WaitAsync(left, clock, cancel);
        }
    }

    public Status Status()
    {
        lock (gate) return new Status(ticks, lastTick, waiting.Count, [.. sensors.Select(s => s.Value.ToAggregate(s.Key))]);
    }

    public Aggregate? Find(string sensor)
    {
        lock (gate) return sensors.TryGetValue(sensor, out var running) ? running.ToAggregate(sensor) : null;
    }

    public bool Forget(string sensor)
    {
        lock (gate) return sensors.Remove(sensor);
    }

    /// <summary>Forgets all sensors and when the last tick was; ticks go on, since they count for those who wait.</summary>
    public void ForgetAll()
    {
        lock (gate)
        {
            sensors.Clear();
            lastTick = null;
        }
    }

    private Task? NextUnless(long tick)
    {
        lock (gate) return ticks >= tick ? null : nextTick.Task;
    }

    // Continuations must not run inside Tick's lock.
    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Mean and deviation in one pass (Welford), so no reading has to be kept.</summary>
    private sealed class Running
    {
        private long count;
        private double min = double.PositiveInfinity, max = double.NegativeInfinity, mean, squares, last;

        public void Add(double value)
        {
            count++;
            var delta = value - mean;
            mean += delta / count;
            squares += delta * (value - mean);
            min = Math.Min(min, value);
            max = Math.Max(max, value);
            last = value;
        }

        public Aggregate ToAggregate(string sensor) =>
            new(sensor, count, min, max, mean, count > 1 ? Math.Sqrt(squares / (count - 1)) : 0, last);
    }
}
