using System;
using System.Buffers;
using System.Collections;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>
/// The arrays that ArrayPool.Shared keeps, for each thread and for all. They are dropped as the pool itself drops them
/// when memory gets scarce, and not overwritten: a thread may be taking one just now.
/// </summary>
internal static class ArrayPools
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Drops those of bytes and of characters. False where this runtime's pools have other parts.</summary>
    public static bool Drop() => Drop(ArrayPool<byte>.Shared) & Drop(ArrayPool<char>.Shared);

    private static bool Drop(object pool)
    {
        if (FieldOf(pool, "_allTlsBuckets") is not IEnumerable ofThreads || FieldOf(pool, "_buckets") is not Array shared)
        {
            return false;
        }

        foreach (object entry in ofThreads)
        {
            // Slots of one array and the time of its return.
            Array slots = (Array)entry.GetType().GetProperty("Key")!.GetValue(entry)!;
            Array.Clear(slots);
        }

        bool known = true;
        foreach (object? bucket in shared)
        {
            if (bucket is not null)
            {
                known &= FieldOf(bucket, "_partitions") is Array stacks && EmptyAll(stacks);
            }
        }

        return known;
    }

    private static bool EmptyAll(Array stacks)
    {
        bool known = true;
        foreach (object stack in stacks)
        {
            known &= Empty(stack);
        }

        return known;
    }

    /// <summary>Under its own lock.</summary>
    private static bool Empty(object stack)
    {
        if (FieldOf(stack, "_arrays") is not Array arrays || stack.GetType().GetField("_count", Members) is not { } count)
        {
            return false;
        }

        lock (stack)
        {
            Array.Clear(arrays);
            count.SetValue(stack, 0);
        }

        return true;
    }

    private static object? FieldOf(object owner, string name) => owner.GetType().GetField(name, Members)?.GetValue(owner);
}
