using DotnetSnapshot;
using Microsoft.Extensions.Options;

namespace Worker;

/// <summary>Ticks for as long as the app runs.</summary>
public sealed partial class RollupWorker(Rollup rollup, IOptions<RollupOptions> options, TimeProvider clock, ILogger<RollupWorker> log)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        SnapshotHooks.RegisterBeforeCheckpoint(RollUpWhatWaits);
        SnapshotHooks.RegisterAfterRestore(StartAfresh);

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

    /// <summary>A reading that waited in the snapshot would be counted once by every clone.</summary>
    private ValueTask RollUpWhatWaits()
    {
        RolledUp(rollup.Tick());
        return ValueTask.CompletedTask;
    }

    /// <summary>The aggregates in the snapshot are of readings that no clone was sent.</summary>
    private ValueTask StartAfresh()
    {
        rollup.ForgetAll();
        return ValueTask.CompletedTask;
    }

    [LoggerMessage(LogLevel.Debug, "Rolled up {Count} readings")]
    private partial void RolledUp(int count);
}
