using System;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace DotnetSnapshot;

/// <summary>Warmup work of one host; a service of it, so that each host runs its own with its own services.</summary>
internal sealed class CheckpointWarmup
{
    private static int s_count;

    private readonly Func<IServiceProvider, CancellationToken, Task> _work;

    public CheckpointWarmup(Func<IServiceProvider, CancellationToken, Task> work)
    {
        _work = work;
        Interlocked.Increment(ref s_count);
    }

    /// <summary>How many there are in this process.</summary>
    public static int Count => Volatile.Read(ref s_count);

    /// <summary>What the app handed in.</summary>
    public Delegate Work => _work;

    public async Task RunAsync(IServiceProvider services, CancellationToken cancel)
    {
        await using AsyncServiceScope scope = services.CreateAsyncScope();
        await _work(scope.ServiceProvider, cancel).ConfigureAwait(false);
    }
}
