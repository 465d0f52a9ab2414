using System;
using System.Linq;
using System.Reflection;
using System.Threading;
using System.Threading.Tasks;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Connections of the server's clients. The checkpoint ends them anyway; until then they keep parts of requests and answers in
/// their buffers, and the header values of the last request, to be used again by the next.
/// </summary>
internal static class ServerConnections
{
    private const string Manager = "Microsoft.AspNetCore.Server.Kestrel.Core.Internal.Infrastructure.TransportConnectionManager";

    /// <summary>Long for those that are closing already; those of requests that are held would never end.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Has the server close them as it does when it is stopped: idle ones at once, others after their answer. Waits for their
    /// end, and for that of those which the clients have closed. False where the server has other parts.
    /// </summary>
    public static bool Close(AppHost host)
    {
        using CancellationTokenSource late = new(s_patience);
        Task[] closing = [.. ServerParts.Of(host)
            .Where(part => part.GetType().FullName == Manager)
            .Select(manager => Close(manager, late.Token))
            .OfType<Task>()];
        Task.WaitAll(closing);
        return closing.Length > 0;
    }

    private static Task? Close(object manager, CancellationToken late) =>
        manager.GetType().GetMethod("CloseAllConnectionsAsync", BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, [typeof(CancellationToken)])
            ?.Invoke(manager, [late]) as Task;
}
