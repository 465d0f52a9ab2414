using System;
using System.Buffers;
using System.Collections.Generic;
using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;

namespace DotnetSnapshot.Companion;

/// <summary>
/// The objects that make up the app's server. Where it keeps what differs between versions and transports, so everything that
/// is the server's is looked at.
/// </summary>
internal static class ServerParts
{
    /// <summary>The most objects that are looked at.</summary>
    private const int MostObjects = 20_000;

    /// <summary>Objects of the server's assemblies, and its pools of memory, the content of which is not looked at. None where there is no server.</summary>
    public static HashSet<object> Of(AppHost host)
    {
        HashSet<object> seen = new(ReferenceEqualityComparer.Instance);
        Queue<object> next = new();
        if (host.Find<IServer>() is { } server)
        {
            seen.Add(server);
            next.Enqueue(server);
        }

        while (seen.Count < MostObjects && next.TryDequeue(out object? current))
        {
            foreach (object part in current is MemoryPool<byte> ? [] : PartsOf(current))
            {
                if (seen.Add(part))
                {
                    next.Enqueue(part);
                }
            }
        }

        return seen;
    }

    /// <summary>Those of base types, too.</summary>
    public static List<FieldInfo> FieldsOf(Type type)
    {
        List<FieldInfo> fields = [];
        for (Type? level = type; level is not null; level = level.BaseType)
        {
            fields.AddRange(level.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly));
        }

        return fields;
    }

    private static IEnumerable<object> PartsOf(object owner)
    {
        if (owner is object?[] items)
        {
            foreach (object? item in items)
            {
                if (item is not null)
                {
                    yield return item;
                }
            }
        }
        else if (IsOfServer(owner.GetType()))
        {
            foreach (FieldInfo field in FieldsOf(owner.GetType()))
            {
                if (!field.FieldType.IsValueType && field.FieldType != typeof(string) && field.GetValue(owner) is { } value)
                {
                    yield return value;
                }
            }
        }
    }

    /// <summary>Of the server's assemblies, or a collection of theirs.</summary>
    private static bool IsOfServer(Type type) =>
        type.Assembly.GetName().Name!.StartsWith("Microsoft.AspNetCore.Server.", StringComparison.Ordinal)
        || (type.Namespace == "System.Collections.Generic" && Array.Exists(type.GetGenericArguments(), IsOfServer));
}
