using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace DotnetSnapshot;

/// <summary>
/// Where the companion of runtime/companion comes in, by reflection: it knows no types of the app, and the app none of
/// it. Names and signatures are a contract. A task's result is null when all went well, else the failure in words; all
/// of them have ended when they are returned.
/// </summary>
internal static class CompanionBridge
{
    internal static int WarmupCount => CheckpointWarmup.Count;

    internal static void MarkCheckpointable() => SnapshotInfo.MarkCheckpointable();

    internal static void MarkRestored(string snapshotId, DateTimeOffset restoredAt) =>
        SnapshotInfo.MarkRestored(new Restoration(snapshotId, restoredAt));

    internal static Task<string?> RunWarmups(IServiceProvider services, TimeSpan deadline)
    {
        CancellationTokenSource expiry = new(deadline);
        HookRunner runner = new("checkpoint warmup", deadline, expiry.Token);
        foreach (CheckpointWarmup warmup in services.GetServices<CheckpointWarmup>())
        {
            if (runner.Run(warmup.Work, () => warmup.RunAsync(services, expiry.Token)) is { } failure)
            {
                // Not disposed of: a warmup that hangs is still to be told that its time is over.
                return Task.FromResult<string?>(failure);
            }
        }

        expiry.Dispose();
        return Task.FromResult<string?>(null);
    }

    internal static Task<string?> RunBeforeCheckpoint(TimeSpan deadline)
    {
        string? failure = Run("before-checkpoint hook", SnapshotHooks.BeforeCheckpoint(), deadline);

        // A rehearsal: what a restore runs is to be compiled by then.
        return Task.FromResult(failure ?? Restore([static () => ValueTask.CompletedTask], deadline));
    }

    internal static Task<string?> RunAfterRestore(TimeSpan deadline) =>
        Task.FromResult(Restore(SnapshotHooks.AfterRestore(), deadline));

    private static string? Restore(Func<ValueTask>[] hooks, TimeSpan deadline)
    {
        using Activity? activity = SnapshotTelemetry.StartRestore();
        string? failure = Run("after-restore hook", hooks, deadline);
        if (failure is not null)
        {
            activity?.SetStatus(ActivityStatusCode.Error, failure);
        }

        return failure;
    }

    private static string? Run(string kind, Func<ValueTask>[] hooks, TimeSpan deadline)
    {
        HookRunner runner = new(kind, deadline);
        foreach (Func<ValueTask> hook in hooks)
        {
            if (runner.Run(hook, () => hook().AsTask()) is { } failure)
            {
                return failure;
            }
        }

        return null;
    }
}
