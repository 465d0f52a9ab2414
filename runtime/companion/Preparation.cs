using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace DotnetSnapshot.Companion;

/// <summary>What is done to the process right before its checkpoint.</summary>
internal sealed class Preparation(AppHost host, AppHooks hooks, Restoration restoration, Settings settings)
{
    /// <summary>
    /// So often that the JIT has done all it will with this code, and with that of the app's listeners: what it calls hot
    /// only after a restore is compiled beside the first requests.
    /// </summary>
    private const int Rehearsals = 20;

    /// <summary>
    /// Leaves the app with its requests held and its timers stopped, until a restore or <see cref="Undo"/>. Throws
    /// <see cref="HookException"/> where a hook of the app fails; the app then goes on.
    /// </summary>
    public string Run()
    {
        // A checkpoint that was given up on may have left the app held.
        Undo();
        try
        {
            int inFlight = host.HasGate ? Gate.Close(settings.HookDeadline) : 0;
            hooks.RunBeforeCheckpoint();
            List<string> cleared = ConnectionPools.Clear(host);
            if (host.Services is not null)
            {
                TerminalSignals.Handle(host);
            }

            for (int n = 0; n < Rehearsals; n++)
            {
                restoration.Rehearse();
            }

            if (host.HasWeb)
            {
                Gate.ForgetKeys(host);
                if (settings.ReadyPath is { } path)
                {
                    Gate.AnnounceAt(path);
                }
            }

            List<string> open = OpenHandles.List();
            bool quiet = JitActivity.WaitUntilQuiet();
            bool choosesAnew = CpuChoices.Forget();
            long before = GC.GetTotalMemory(forceFullCollection: false);
            CompactHeap();
            string answer = $$"""{"clearedPools":{{Json.List(cleared.ConvertAll(Json.Text))}},"heapBytesBefore":{{before}},"heapBytesAfter":{{GC.GetTotalMemory(forceFullCollection: false)}},"gate":{{(host.HasGate ? "true" : "false")}},"inFlight":{{inFlight}},"jitQuiet":{{(quiet ? "true" : "false")}},"choosesAnew":{{(choosesAnew ? "true" : "false")}},"hookSeconds":{{(int)settings.HookDeadline.TotalSeconds}},"open":{{Json.List(open.ConvertAll(Json.Text))}}}""";
            restoration.Suspend();
            return answer;
        }
        catch
        {
            Undo();
            throw;
        }
    }

    /// <summary>The checkpoint is over, or was not taken, and this process goes on.</summary>
    public string Undo()
    {
        restoration.Resume();
        if (host.HasGate)
        {
            Gate.Open(restored: false);
        }

        return """{"resumed":true}""";
    }

    /// <summary>
    /// Twice, with finalizers between: what a finalizer let go of is collected by the second. Garbage would be stored
    /// in the snapshot, and garbage is where request data with secrets lies.
    /// </summary>
    private static void CompactHeap()
    {
        for (int round = 0; round < 2; round++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        if (NativeLibrary.TryLoad("libc.so.6", out nint libc) && NativeLibrary.TryGetExport(libc, "malloc_trim", out nint trim))
        {
            unsafe
            {
                _ = ((delegate* unmanaged<nuint, int>)trim)(0);
            }
        }
    }
}
