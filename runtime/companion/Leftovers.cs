using System;
using System.Collections.Generic;

namespace DotnetSnapshot.Companion;

/// <summary>
/// What requests have left behind in buffers that are kept for the next one: headers, bodies, log lines, with whatever
/// secret was in them. Collections don't reach it, for it is in use. Parts of the runtime are looked up by name; what a version
/// has not is passed over, and what was cleared is told, so that a test sees what a new version has renamed.
/// </summary>
internal static class Leftovers
{
    /// <summary>Clears them; what was let go of is garbage, which the collections after this take. Returns what was cleared.</summary>
    public static List<string> Clear(AppHost host, List<object> timerStates)
    {
        List<string> cleared = [];
        // Closed connections give their arrays back to the pools, so they are first.
        Try("SignalR connections", () => SignalRConnections.EndWaiting(host));
        Try("server connections", () => host.HasWeb && Gate.CloseConnections(host));
        Try("HTTP client connections", () => HttpConnections.CloseIdle(timerStates));
        Try("array pools", ArrayPools.Drop);
        Try("thread caches", ThreadCaches.Drop);
        Try("server buffers", () => host.HasWeb && Gate.ClearBuffers(host));
        return cleared;

        void Try(string what, Func<bool> clear)
        {
            try
            {
                if (clear())
                {
                    cleared.Add(what);
                }
            }
#pragma warning disable CA1031 // What can't be cleared is left for the scan to find; the app is as it was.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
    }
}
