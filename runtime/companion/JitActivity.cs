using System;
using System.Diagnostics;
using System.Runtime;
using System.Threading;

namespace DotnetSnapshot.Companion;

/// <summary>How much the JIT has compiled so far; flat numbers mean that it is quiet.</summary>
internal static class JitActivity
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    public static string Describe() =>
        $$"""{"methods":{{JitInfo.GetCompiledMethodCount()}},"ilBytes":{{JitInfo.GetCompiledILBytes()}}}""";

    /// <summary>
    /// Waits until nothing was compiled for a moment. What waits to be compiled at the checkpoint is compiled in each
    /// restored start, when it has better to do. Returns false where it did not come to rest.
    /// </summary>
    public static bool WaitUntilQuiet()
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < s_patience)
        {
            long before = JitInfo.GetCompiledMethodCount();
            Thread.Sleep(s_quiet);
            if (JitInfo.GetCompiledMethodCount() == before)
            {
                return true;
            }
        }

        return false;
    }
}
