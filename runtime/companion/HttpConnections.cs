using System;
using System.Collections.Generic;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Idle connections of the app's HttpClients. The checkpoint ends them anyway; until then they keep the head of the last
/// request in their buffers.
/// </summary>
internal static class HttpConnections
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.NonPublic;

    /// <summary>
    /// Closes them as the handlers do with connections that were idle for too long. Each handler has a timer for that, by whose
    /// state it is found. False where there is none, or where this runtime's handlers have other parts.
    /// </summary>
    public static bool CloseIdle(List<object> timerStates)
    {
        bool closed = false;
        foreach (object state in timerStates)
        {
            if (TargetOf(state) is { } handler && handler.GetType().FullName == "System.Net.Http.HttpConnectionPoolManager")
            {
                closed |= CloseIdle(handler);
            }
        }

        return closed;
    }

    private static bool CloseIdle(object handler)
    {
        if (handler.GetType().GetField("_settings", Members)?.GetValue(handler) is not { } settings
            || settings.GetType().GetField("_pooledConnectionIdleTimeout", Members) is not { } idleTimeout
            || handler.GetType().GetMethod("RemoveStalePools", Members, Type.EmptyTypes) is not { } removeStale)
        {
            return false;
        }

        object? usual = idleTimeout.GetValue(settings);
        idleTimeout.SetValue(settings, TimeSpan.Zero);
        try
        {
            removeStale.Invoke(handler, null);
        }
        finally
        {
            idleTimeout.SetValue(settings, usual);
        }

        return true;
    }

    /// <summary>A timer that must not keep its owner alive has a WeakReference to it as its state.</summary>
    private static object? TargetOf(object state)
    {
        if (!state.GetType().IsGenericType || state.GetType().GetGenericTypeDefinition() != typeof(WeakReference<>))
        {
            return null;
        }

        object?[] target = [null];
        state.GetType().GetMethod("TryGetTarget")!.Invoke(state, target);
        return target[0];
    }
}
