using System;
using System.Threading;

namespace DotnetSnapshot.Companion;

/// <summary>Work that each thread of the pool must do itself, since it is about what the thread keeps for itself.</summary>
internal static class PoolThreads
{
    /// <summary>How long busy threads are waited for while requests wait.</summary>
    public static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);

    /// <summary>How long they are waited for before a checkpoint, where the machine may be busy with other things.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromMilliseconds(500);

    /// <summary>Gives each thread one item that waits for the others, each up to `patience`. Returns what waits until all are done.</summary>
    public static Action OnEach(Action work, TimeSpan patience)
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
                    item.missing.Wait(item.patience);
                },
                (work, missing, patience),
                preferLocal: false);
        }

        return () =>
        {
            missing.Wait(patience);
            ThreadPool.SetMinThreads(workers, ports);
        };
    }
}
