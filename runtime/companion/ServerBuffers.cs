using System;
using System.Buffers;
using System.Collections;
using System.Collections.Generic;
using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;

namespace DotnetSnapshot.Companion;

/// <summary>The blocks of memory that Kestrel reads requests into and writes answers from; pinned, so no collection moves over them.</summary>
internal static class ServerBuffers
{
    /// <summary>The most objects that are looked at on the way from the server to its pools.</summary>
    private const int MostObjects = 20_000;

    /// <summary>Writes zeros over all blocks that are not in use. False where no pool was found, or one has other parts.</summary>
    public static bool Clear(AppHost host)
    {
        bool cleared = false;
        foreach (MemoryPool<byte> pool in host.Find<IServer>() is { } server ? PoolsOf(server) : [])
        {
            cleared |= Clear(pool);
        }

        return cleared;
    }

    /// <summary>By renting every block: whatever is rented is nobody else's.</summary>
    private static bool Clear(MemoryPool<byte> pool)
    {
        if (FieldsOf(pool.GetType()).Find(field => field.Name == "_blocks")?.GetValue(pool) is not ICollection blocks)
        {
            return false;
        }

        List<IMemoryOwner<byte>> rented = [];
        for (int missing = blocks.Count; missing > 0; missing--)
        {
            rented.Add(pool.Rent());
        }

        foreach (IMemoryOwner<byte> block in rented)
        {
            block.Memory.Span.Clear();
            block.Dispose();
        }

        return true;
    }

    /// <summary>
    /// Where the pools are kept differs between versions and transports, so they are looked for in everything that is the
    /// server's.
    /// </summary>
    private static HashSet<MemoryPool<byte>> PoolsOf(object server)
    {
        HashSet<MemoryPool<byte>> pools = [];
        HashSet<object> seen = new(ReferenceEqualityComparer.Instance) { server };
        Queue<object> next = new([server]);
        while (seen.Count < MostObjects && next.TryDequeue(out object? current))
        {
            if (current is MemoryPool<byte> pool)
            {
                pools.Add(pool);
                continue;
            }

            foreach (object part in PartsOf(current))
            {
                if (seen.Add(part))
                {
                    next.Enqueue(part);
                }
            }
        }

        return pools;
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

    private static List<FieldInfo> FieldsOf(Type type)
    {
        List<FieldInfo> fields = [];
        for (Type? level = type; level is not null; level = level.BaseType)
        {
            fields.AddRange(level.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly));
        }

        return fields;
    }
}
