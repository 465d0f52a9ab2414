using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>Generators whose state lies in the process's memory, so that every clone would continue with the same numbers.</summary>
internal sealed class Randomness
{
    /// <summary>The generator behind Random.Shared, one for each thread; null makes the thread seed another at its next use.</summary>
    private static readonly FieldInfo? s_ofThread =
        typeof(Random).GetNestedType("ThreadSafeRandom", BindingFlags.NonPublic)?.GetField("t_random", BindingFlags.Static | BindingFlags.NonPublic);

    /// <summary>The like behind the trace and span ids of activities.</summary>
    private static readonly FieldInfo? s_ofActivities =
        typeof(Activity).Assembly.GetType("System.Diagnostics.RandomNumberGenerator")?.GetField("t_random", BindingFlags.Static | BindingFlags.NonPublic);

    private readonly List<FieldInfo> _connectionIds = [];
    private readonly OpenSsl _openSsl = new();

    /// <summary>Looks up what a renewal needs. Throws where the runtime has what can't be renewed.</summary>
    public void Prepare()
    {
        if (s_ofThread is null || s_ofActivities is null)
        {
            throw new NotSupportedException($"the random numbers of .NET {Environment.Version} can't be renewed");
        }

        // The servers' identifiers of connections count on from the moment of their start.
        _connectionIds.Clear();
        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
        {
            if (assembly.GetName().Name?.StartsWith("Microsoft.AspNetCore.Server.", StringComparison.Ordinal) == true
                && assembly.GetType("Microsoft.AspNetCore.Connections.CorrelationIdGenerator")?.GetField("_lastId", BindingFlags.Static | BindingFlags.NonPublic) is { } last)
            {
                _connectionIds.Add(last);
            }
        }

        _openSsl.Find();
    }

    /// <summary>Right before the checkpoint.</summary>
    public void Distrust() => _openSsl.Distrust();

    /// <summary>Where the process goes on after its checkpoint.</summary>
    public void Trust() => _openSsl.Renew();

    /// <summary>
    /// Renews OpenSSL's generators, and drops the framework's own. Returns what waits until each thread of the pool
    /// has dropped its own.
    /// </summary>
    public Action Renew()
    {
        _openSsl.Renew();
        foreach (FieldInfo last in _connectionIds)
        {
            last.SetValue(null, DateTime.UtcNow.Ticks);
        }

        DropOfThisThread();
        return PoolThreads.OnEach(DropOfThisThread);
    }

    private static void DropOfThisThread()
    {
        s_ofThread!.SetValue(null, null);
        s_ofActivities!.SetValue(null, null);
    }
}
