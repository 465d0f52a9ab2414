using System;
using System.Collections.Generic;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Makes the heap as small as it gets. Garbage would be stored in the snapshot, and garbage is where request data with
/// secrets lies.
/// </summary>
internal static unsafe class HeapCompaction
{
    /// <summary>
    /// Pages of zeros that are moved behind the objects of each heap. What a compaction leaves of the last page in use is neither
    /// given back nor cleared.
    /// </summary>
    private const int Padding = 16;

    /// <summary>Above what the large object heap takes (85,000 bytes).</summary>
    private const int Large = 100_000;

    /// <summary>
    /// Sizes of the arrays that gaps between pinned objects are filled with, in bytes: large ones for most of a gap, small ones
    /// for what is left of it.
    /// </summary>
    private static readonly int[] s_fillings = [8192, 1024, 128, 32];

    /// <summary>The most arrays of each size; what that does not fill is left for the scan to find.</summary>
    private const long MostFillings = 200_000;

    /// <summary>Several times, with finalizers between: what a finalizer let go of is collected by the next.</summary>
    public static void Run()
    {
        Collect();
        CollectWithPadding();
        Collect();
        if (NativeLibrary.TryLoad("libc.so.6", out nint libc) && NativeLibrary.TryGetExport(libc, "malloc_trim", out nint trim))
        {
            _ = ((delegate* unmanaged<nuint, int>)trim)(0);
        }
    }

    /// <summary>Two collections take what is new to the oldest generation.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CollectWithPadding()
    {
        List<byte[]>[] zeros = new List<byte[]>[Environment.ProcessorCount];
        long gaps = PinnedGaps();
        for (int cpu = 0; cpu < zeros.Length; cpu++)
        {
            // The server GC has a heap for each CPU, and a thread allocates in that of the one it began on.
            List<byte[]> own = zeros[cpu] = new List<byte[]>(Padding + 2);
            ulong only = 1UL << (cpu % 64);
            Thread thread = new(() =>
            {
                _ = SetAffinity(0, sizeof(ulong), only);
                Pad(own);
                FillGaps(own, gaps);
            });
            thread.Start();
            thread.Join();
        }

        Collect();
        Collect();
        GC.KeepAlive(zeros);
    }

    private static void Pad(List<byte[]> zeros)
    {
        for (int index = 0; index < Padding; index++)
        {
            zeros.Add(new byte[Environment.SystemPageSize]);
        }

        zeros.Add(new byte[Large]);
        zeros.Add(GC.AllocateArray<byte>(2 * Environment.SystemPageSize, pinned: true));
    }

    /// <summary>
    /// Zeros over what pinned objects have left behind. Pinned objects are never moved, so no collection clears the gaps between
    /// them, such as the blocks that Kestrel's pools give back to the collector, each with a part of a request in it. Gaps are
    /// used before new memory is: after as many bytes as all gaps have, each of them that can hold the size is full.
    /// </summary>
    private static void FillGaps(List<byte[]> zeros, long gaps)
    {
        foreach (int size in s_fillings)
        {
            for (long left = Math.Min(gaps / size, MostFillings); left >= 0; left--)
            {
                zeros.Add(GC.AllocateArray<byte>(size, pinned: true));
            }
        }
    }

    /// <summary>In bytes, as the last collection has left them.</summary>
    private static long PinnedGaps()
    {
        const int Pinned = 4; // After the three generations and the large objects.
        ReadOnlySpan<GCGenerationInfo> generations = GC.GetGCMemoryInfo(GCKind.FullBlocking).GenerationInfo;
        return generations.Length > Pinned ? generations[Pinned].FragmentationAfterBytes : 0;
    }

    private static void Collect()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
    }

    /// <summary>Of this thread, which ends soon. Where it fails the padding may lie in fewer heaps.</summary>
    [DllImport("libc", EntryPoint = "sched_setaffinity")]
    private static extern int SetAffinity(int thread, nuint size, in ulong cpus);
}
