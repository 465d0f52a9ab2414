using System;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DotnetSnapshot;

/// <summary>Warmup that recorded traffic can't do.</summary>
public static class CheckpointWarmupExtensions
{
    /// <summary>
    /// Adds work that is done before the checkpoint, once in each round of the warmup, for what the traffic does not
    /// reach. Does nothing in an app that is not being warmed.
    /// </summary>
    /// <param name="builder">The app's builder.</param>
    /// <param name="warmup">
    /// The work. It is given services of a scope of its own, and a token that is cancelled when the time of the input
    /// <c>hook-timeout</c> is over. It can be run many times, so it should leave nothing behind. Where it throws or
    /// hangs, the build fails.
    /// </param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IHostApplicationBuilder AddCheckpointWarmup(
        this IHostApplicationBuilder builder, Func<IServiceProvider, CancellationToken, Task> warmup)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(warmup);
        if (SnapshotInfo.IsCheckpointing)
        {
            builder.Services.AddSingleton(new CheckpointWarmup(warmup));
        }

        return builder;
    }
}
