using System;
using System.Buffers;
using System.Collections;
using System.Collections.Generic;
using System.Linq;

namespace DotnetSnapshot.Companion;

/// <summary>The blocks of memory that Kestrel reads requests into and writes answers from; pinned, so no collection moves over them.</summary>
internal static class ServerBuffers
{
    /// <summary>Writes zeros over all blocks that are not in use. False where no pool was found, or one has other parts.</summary>
    public static bool Clear(AppHost host)
    {
        bool cleared = false;
        foreach (MemoryPool<byte> pool in ServerParts.Of(host).OfType<MemoryPool<byte>>())
        {
            cleared |= Clear(pool);
        }

        return cleared;
    }

    /// <summary>By renting every block: whatever is rented is nobody else's.</summary>
    private static bool Clear(MemoryPool<byte> pool)
    {
        if (ServerParts.FieldsOf(pool.GetType()).Find(field => field.Name == "_blocks")?.GetValue(pool) is not ICollection blocks)
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
}
