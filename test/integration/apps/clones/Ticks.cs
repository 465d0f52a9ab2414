using System.Collections.Concurrent;

namespace Clones;

/// <summary>When the three kinds of periodic work that .NET has were done, each every half second.</summary>
internal sealed class Ticks : BackgroundService
{
    public const int PeriodMs = 500;

    private const int Kept = 200;
    private readonly ConcurrentDictionary<string, ConcurrentQueue<long>> _seen = new();
    private Timer? _timer;

    /// <summary>Unix times in milliseconds, by kind.</summary>
    public Dictionary<string, long[]> Seen() => _seen.ToDictionary(kind => kind.Key, kind => kind.Value.ToArray());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _timer = new Timer(_ => Note("Timer"), null, PeriodMs, PeriodMs);
        new Thread(Sleep) { IsBackground = true }.Start();
        using PeriodicTimer periodic = new(TimeSpan.FromMilliseconds(PeriodMs));
        while (await periodic.WaitForNextTickAsync(stoppingToken))
        {
            Note("PeriodicTimer");
        }
    }

    public override void Dispose()
    {
        _timer?.Dispose();
        base.Dispose();
    }

    private void Sleep()
    {
        for (; ; Note("Thread.Sleep"))
        {
            Thread.Sleep(PeriodMs);
        }
    }

    private void Note(string kind)
    {
        ConcurrentQueue<long> times = _seen.GetOrAdd(kind, _ => new());
        times.Enqueue(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        while (times.Count > Kept)
        {
            times.TryDequeue(out long _);
        }
    }
}
