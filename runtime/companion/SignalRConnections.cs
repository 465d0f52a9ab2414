using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Connections of SignalR and Blazor, each with a token by which its client is known. One that was negotiated and has no
/// transport, or has lost it, waits for its client for a while; in a clone that client will never come.
/// </summary>
internal static class SignalRConnections
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    private const string Library = "Microsoft.AspNetCore.Http.Connections";

    /// <summary>The launcher carries lines of up to 65,536 bytes.</summary>
    private const int MostTokens = 1000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private static readonly HashSet<string> s_seen = [];

    /// <summary>Ends those that wait for their client, as the library does when they have waited for too long. False where there is nothing to end.</summary>
    public static bool EndWaiting(AppHost host)
    {
        if (ManagerOf(host) is not { } manager || ConnectionsOf(manager) is not { } connections
            || manager.GetType().GetMethod("DisposeAndRemoveAsync", Members) is not { } remove
            || remove.GetParameters() is not [_, { ParameterType: var graceful }, { ParameterType.IsEnum: true } status] || graceful != typeof(bool))
        {
            return false;
        }

        Note(host);
        object timeout = Enum.Parse(status.ParameterType, "Timeout");
        Task[] ending = [.. connections.Values.Cast<object>()
            .Where(connection => connection.GetType().GetProperty("Status", Members)?.GetValue(connection)?.ToString() == "Inactive")
            .Select(connection => remove.Invoke(manager, [connection, false, timeout]))
            .OfType<Task>()];
        return ending.Length > 0 && Task.WaitAll(ending, s_patience);
    }

    /// <summary>Remembers the tokens of the connections that there are now; to be called while there may be any.</summary>
    public static void Note(AppHost host)
    {
        if (ManagerOf(host) is { } manager && ConnectionsOf(manager) is { } connections)
        {
            foreach (string token in connections.Keys)
            {
                s_seen.Add(HashOf(token));
            }
        }
    }

    /// <summary>Of tokens that were noted and open no connection any more: the first half of the SHA-256 of each, in lower-case hexadecimal.</summary>
    public static List<string> EndedTokens(AppHost host)
    {
        if (ManagerOf(host) is not { } manager || ConnectionsOf(manager) is not { } connections)
        {
            return [];
        }

        HashSet<string> open = [.. connections.Keys.Cast<string>().Select(HashOf)];
        return [.. s_seen.Where(token => !open.Contains(token)).Take(MostTokens)];
    }

    private static string HashOf(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)).AsSpan(0, 16)).ToLowerInvariant();

    private static bool IsLoaded() => Array.Exists(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == Library);

    /// <summary>Not of an app that has the library and uses none of it.</summary>
    private static object? ManagerOf(AppHost host) =>
        IsLoaded() && Type.GetType($"Microsoft.AspNetCore.Http.Connections.Internal.HttpConnectionManager, {Library}") is { } type
            ? host.Find(type)
            : null;

    private static IDictionary? ConnectionsOf(object manager) => manager.GetType().GetField("_connections", Members)?.GetValue(manager) as IDictionary;
}
