using System;
using System.Collections.Generic;

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

            List<string> leftovers = Leftovers.Clear(host, restoration.TimerStates());
            List<string> open = OpenHandles.List();
            JitActivity.Compile([typeof(Preparation).Assembly, .. hooks.Assemblies]);
            bool quiet = JitActivity.WaitUntilQuiet();
            // What connections that were closing have given back meanwhile.
            _ = Leftovers.Clear(host, []);
            bool choosesAnew = CpuChoices.Forget();
            long before = GC.GetTotalMemory(forceFullCollection: false);
            HeapCompaction.Run();
            string answer = $$"""{"clearedPools":{{Json.List(cleared.ConvertAll(Json.Text))}},"clearedLeftovers":{{Json.List(leftovers.ConvertAll(Json.Text))}},"heapBytesBefore":{{before}},"heapBytesAfter":{{GC.GetTotalMemory(forceFullCollection: false)}},"gate":{{(host.HasGate ? "true" : "false")}},"inFlight":{{inFlight}},"jitQuiet":{{(quiet ? "true" : "false")}},"choosesAnew":{{(choosesAnew ? "true" : "false")}},"hookSeconds":{{(int)settings.HookDeadline.TotalSeconds}},"open":{{Json.List(open.ConvertAll(Json.Text))}}}""";
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
}
