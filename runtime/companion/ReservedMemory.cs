using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;

namespace DotnetSnapshot.Companion;

/// <summary>
/// The address ranges that the runtime reserved when it started, for its code, its types and the GC heap. What lies in
/// them is the runtime's own, and the runtime never relies on memory that it gave back being zero. That is what lets a
/// restore map their pages from the snapshot instead of reading them (src/plan/areas.ts).
/// </summary>
internal static class ReservedMemory
{
    /// <summary>Above what a C library reserves for a heap of a thread (64 MiB), below what the runtime does.</summary>
    private const ulong SmallestReserve = 128UL << 20;

    /// <summary>`START-END,…` in hexadecimal. Call it before the app's own code runs; empty where another allocator may have been first.</summary>
    public static string List()
    {
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("LD_PRELOAD")))
        {
            return "";
        }

        List<string> ranges = [];
        (ulong start, ulong end, bool reserve) = (0, 0, false);
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            (ulong from, ulong to) = AddressesOf(line);
            bool ofRuntime = IsAnonymous(line) || line.EndsWith(".dll", StringComparison.Ordinal);
            if (!ofRuntime || from != end)
            {
                Close();
                (start, reserve) = (from, false);
            }

            end = ofRuntime ? to : 0;
            reserve |= ofRuntime && line.Contains(" ---p ", StringComparison.Ordinal) && to - from >= SmallestReserve;
        }

        Close();
        return string.Join(',', ranges);

        void Close()
        {
            if (reserve)
            {
                ranges.Add($"{start:x}-{end:x}");
            }
        }
    }

    /// <summary>Those of a line of /proc/self/maps.</summary>
    public static (ulong Start, ulong End) AddressesOf(string line)
    {
        int dash = line.IndexOf('-', StringComparison.Ordinal), blank = line.IndexOf(' ', StringComparison.Ordinal);
        return (Parse(line.AsSpan(0, dash)), Parse(line.AsSpan(dash + 1, blank - dash - 1)));
    }

    private static ulong Parse(ReadOnlySpan<char> digits) => ulong.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>Without a path, and so without `[heap]` and `[stack]`.</summary>
    public static bool IsAnonymous(string line) => line.TrimEnd().EndsWith(" 0", StringComparison.Ordinal);
}
