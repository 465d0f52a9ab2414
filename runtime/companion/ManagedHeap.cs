using System;
using System.Globalization;
using System.IO;
using System.Runtime.CompilerServices;

namespace DotnetSnapshot.Companion;

/// <summary>Where managed objects lie, for whoever reads the snapshot's memory.</summary>
internal static class ManagedHeap
{
    /// <summary>The GC reserves gigabytes at once; neighbours such as a C library's heap of a thread (64 MiB) stay below.</summary>
    private const ulong SmallestReserve = 128UL << 20;

    /// <summary>
    /// `START-END` in hexadecimal of what the GC reserved when the runtime started: its heap, and its own tables below that.
    /// Empty where it can't be told.
    /// </summary>
    public static string Range()
    {
        ulong inHeap = AddressOf(new object());
        (ulong start, ulong end, ulong previous) = (0, 0, 0);
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            (ulong from, ulong to) = ReservedMemory.AddressesOf(line);
            bool isData = ReservedMemory.IsAnonymous(line) && line[line.IndexOf(' ', StringComparison.Ordinal) + 3] != 'x';
            if (!isData || from != previous)
            {
                if (inHeap >= start && inHeap < end)
                {
                    break;
                }

                (start, end) = (from, 0);
            }

            // A reserve ends with what is not in use yet of it.
            if (isData && to - from >= SmallestReserve && line.Contains(" ---p ", StringComparison.Ordinal))
            {
                end = to;
            }

            previous = isData ? to : 0;
        }

        return inHeap >= start && inHeap < end ? string.Create(CultureInfo.InvariantCulture, $"{start:x}-{end:x}") : "";
    }

    /// <summary>What a string's header holds, in hexadecimal: the address of the type's description.</summary>
    public static string StringType() => typeof(string).TypeHandle.Value.ToString("x", CultureInfo.InvariantCulture);

    private static unsafe ulong AddressOf(object target) => (ulong)*(nint*)Unsafe.AsPointer(ref target);
}
