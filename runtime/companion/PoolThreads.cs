using System;
using System.Threading;

namespace DotnetSnapshot.Companion;

/// <summary>Work that each thread of the pool must do itself, since it is about what the thread keeps for itself.</summary>
internal static class PoolThreads
{
    /// <summary>How long busy threads are waited for.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(50);

    /// <summary>Gives each thread one item that waits for the others. Returns what waits until all are done.</summary>
    public static Action OnEach(Action work)
    {
        int threads = ThreadPool.ThreadCount;
        ThreadPool.GetMinThreads(out int workers, out int ports);
        ThreadPool.SetMinThreads(Math.Max(workers, threads), ports);
        CountdownEvent missing = new(threads);
        for (int item = 0; item < threads; item++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static item =>
                {
                    item.work();
                    item.missing.Signal();
                    item.missing.Wait(s_patience);
                },
                (work, missing),
                preferLocal: false);
        }

        return () =>
        {
            missing.Wait(s_patience);
            ThreadPool.SetMinThreads(workers, ports);
        };
    }
}
