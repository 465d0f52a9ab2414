using Microsoft.Extensions.Options;

namespace Worker;

/// <summary>Ticks for as long as the app runs.</summary>
public sealed partial class RollupWorker(Rollup rollup, IOptions<RollupOptions> options, TimeProvider clock, ILogger<RollupWorker> log)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(options.Value.Period, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                if (rollup.Tick() is > 0 and var count) RolledUp(count);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Nothing that was accepted is lost by an orderly stop.
            RolledUp(rollup.Tick());
        }
    }

    [LoggerMessage(LogLevel.Debug, "Rolled up {Count} readings")]
    private partial void RolledUp(int count);
}
