using System;
using System.Collections.Generic;

namespace DotnetSnapshot.Companion;

/// <summary>What is done to the process right before its checkpoint.</summary>
internal sealed class Preparation(AppHost host, AppHooks hooks, Restoration restoration, Settings settings)
{
    /// <summary>First word of the request; the second is the protocol that the app speaks, the third the Host that it is asked by.</summary>
    public const string Verb = "prepare";

    /// <summary>
    /// So often that the JIT has done all it will with this code, and with that of the app's listeners: what it calls hot
    /// only after a restore is compiled beside the first requests.
    /// </summary>
    private const int Rehearsals = 20;

    /// <summary>
    /// Leaves the app with its requests held and its timers stopped, until a restore or <see cref="Undo"/>. Throws
    /// <see cref="HookException"/> where a hook of the app fails; the app then goes on.
    /// </summary>
    public string Run(string request)
    {
        hooks.AskBy(request.Split(' '));
        // A checkpoint that was given up on may have left the app held.
        Undo();
        try
        {
            int inFlight = host.HasGate ? Gate.Close(settings.HookDeadline) : 0;
            hooks.RunBeforeCheckpoint();
            // What the app itself still has to do with what the warmup left; then what each clone would do again.
            List<object> parts = ObjectGraph.Find(host, restoration.TimerStates(), type => Identities.Hold(type) || Telemetry.IsProvider(type) || WaitingItems.IsChannel(type));
            List<string> waiting = [.. WaitingItems.In(parts), .. Telemetry.Flush(parts, settings.HookDeadline)];
            restoration.NoteIdentities(parts);
            List<string> cleared = ConnectionPools.Clear(host);
            if (host.Services is not null)
            {
                TerminalSignals.Handle(host);
            }

            restoration.Prepare();
            for (int n = 0; n < Rehearsals; n++)
            {
                restoration.Rehearse();
            }

            List<string> forgotten = [];
            if (host.HasWeb)
            {
                forgotten.AddRange(Gate.ForgetKeys(host));
                if (settings.ReadyPath is { } path)
                {
                    Gate.AnnounceAt(path);
                }
            }

            List<string> leftovers = Leftovers.Clear(host, restoration.TimerStates());
            List<string> open = OpenHandles.List();
            List<string> sqlite = SqliteFiles.Note();
            JitActivity.Compile([typeof(Preparation).Assembly, .. hooks.Assemblies]);
            bool quiet = JitActivity.WaitUntilQuiet();
            // What connections that were closing have given back meanwhile.
            _ = Leftovers.Clear(host, []);
            bool choosesAnew = CpuChoices.Forget();
            long before = GC.GetTotalMemory(forceFullCollection: false);
            List<string> ended = SignalRConnections.EndedTokens(host);
            HeapCompaction.Run();
            string answer = $$"""{"clearedPools":{{Json.List(cleared.ConvertAll(Json.Text))}},"clearedLeftovers":{{Json.List(leftovers.ConvertAll(Json.Text))}},"heapBytesBefore":{{before}},"heapBytesAfter":{{GC.GetTotalMemory(forceFullCollection: false)}},"gate":{{(host.HasGate ? "true" : "false")}},"inFlight":{{inFlight}},"jitQuiet":{{(quiet ? "true" : "false")}},"choosesAnew":{{(choosesAnew ? "true" : "false")}},"hookSeconds":{{(int)settings.HookDeadline.TotalSeconds}},"startReads":{{StartReads.Describe()}},"open":{{Json.List(open.ConvertAll(Json.Text))}},"forgottenKeys":{{Json.List(forgotten)}},"endedTokens":{{Json.List(ended.ConvertAll(Json.Text))}},"waiting":{{Json.List(waiting.ConvertAll(Json.Text))}},"sqlite":{{Json.List(sqlite.ConvertAll(Json.Text))}}}""";
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
