using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;

namespace DotnetSnapshot.Companion;

/// <summary>
/// zlib-ng, which .NET has from 9 on, chooses its functions by the CPU at their first use, and there is no setting for
/// it. This makes it choose anew in each clone: its table is a variable whose first values are the functions that
/// choose, and the library's own relocations say what they were.
/// </summary>
internal static class CpuChoices
{
    private const string Library = "/libSystem.IO.Compression.Native.so";
    private const uint Load = 1, Dynamic = 2, Relro = 0x6474e552, Executable = 1, Writable = 2;
    private const long Rela = 7, RelaSize = 8, Relr = 36;
    private const uint Relative = 8;

    /// <summary>False where a choice may be kept that was made by the build's CPU.</summary>
    public static unsafe bool Forget()
    {
        // On arm64 a restore asks for all that the build's CPU had.
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || Environment.Version.Major < 9)
        {
            return true;
        }

        bool ownFiles = false;
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            ownFiles |= line.EndsWith("/libcoreclr.so", StringComparison.Ordinal);
            if (line.EndsWith(Library, StringComparison.Ordinal))
            {
                // The first mapping of a file is that of its header.
                return Reset((byte*)nint.Parse(line.AsSpan(0, line.IndexOf('-', StringComparison.Ordinal)), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            }
        }

        // Not in use yet; unless it is part of the program, which has no files of its own for the runtime either.
        return ownFiles;
    }

    /// <summary>Gives variables of the library that are addresses of its code those that they had when it was loaded.</summary>
    private static unsafe bool Reset(byte* library)
    {
        byte* dynamic = Header(library, Dynamic);
        if (dynamic is null)
        {
            return false;
        }

        byte* table = null;
        long size = 0;
        for (long* entry = (long*)(library + *(long*)(dynamic + 16)); entry[0] != 0; entry += 2)
        {
            switch (entry[0])
            {
                case Rela:
                    // glibc has made an address of it, musl has not.
                    table = entry[1] < (long)library ? library + entry[1] : (byte*)entry[1];
                    break;
                case RelaSize:
                    size = entry[1];
                    break;
                case Relr:
                    return false;
            }
        }

        for (long* entry = (long*)table; (byte*)entry < table + size; entry += 3)
        {
            long* variable = (long*)(library + entry[0]);
            if ((uint)entry[1] == Relative && IsVariable(library, entry[0]) && IsCode(library, entry[2]) && IsCode(library, *variable - (long)library))
            {
                *variable = (long)library + entry[2];
            }
        }

        return table is not null;
    }

    private static unsafe bool IsCode(byte* library, long offset) => (Flags(library, Load, offset) & Executable) != 0;

    private static unsafe bool IsVariable(byte* library, long offset) =>
        (Flags(library, Load, offset) & Writable) != 0 && Flags(library, Relro, offset) == 0;

    /// <summary>The flags of the segment of that type which holds the offset; 0 where there is none.</summary>
    private static unsafe uint Flags(byte* library, uint type, long offset)
    {
        for (int index = 0; Header(library, type, index) is var header && header is not null; index++)
        {
            long start = *(long*)(header + 16);
            if (offset >= start && offset < start + *(long*)(header + 40))
            {
                return *(uint*)(header + 4);
            }
        }

        return 0;
    }

    /// <summary>A program header of the type, counted from 0; null where there are not so many.</summary>
    private static unsafe byte* Header(byte* library, uint type, int index = 0)
    {
        byte* headers = library + *(long*)(library + 32);
        int size = *(ushort*)(library + 54), count = *(ushort*)(library + 56);
        for (int number = 0; number < count; number++)
        {
            if (*(uint*)(headers + (number * size)) == type && index-- == 0)
            {
                return headers + (number * size);
            }
        }

        return null;
    }
}
