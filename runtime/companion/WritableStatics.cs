using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Makes static read-only fields writable, in the memory of this process: in an assembly's metadata, when it is loaded and no code of it
/// was compiled yet. The value of a field that is read-only becomes a constant of compiled code, which no restore could change.
/// </summary>
internal static unsafe class WritableStatics
{
    private const int ReadWrite = 3;      // PROT_READ | PROT_WRITE
    private const int PrivateFixed = 0x12; // MAP_PRIVATE | MAP_FIXED

    public static void Watch()
    {
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) =>
        {
            string? name = loaded.LoadedAssembly.GetName().Name;
            if (Array.Exists(Identities.ReadOnly, known => known.Assembly == name))
            {
                try
                {
                    Open(loaded.LoadedAssembly);
                }
#pragma warning disable CA1031 // The app's load must not fail; the comparison of clones finds what was not renewed.
                catch (Exception)
#pragma warning restore CA1031
                {
                }
            }
        };
    }

    // Not inlined: a trimmed app may have come without the framework's metadata reader.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Open(Assembly assembly)
    {
        if (!assembly.TryGetRawMetadata(out byte* start, out int length))
        {
            return;
        }

        string? name = assembly.GetName().Name;
        MetadataReader metadata = new(start, length);
        foreach (FieldDefinitionHandle handle in metadata.FieldDefinitions)
        {
            FieldDefinition field = metadata.GetFieldDefinition(handle);
            string owner = RiskyMembersTypes.NameOf(metadata, field.GetDeclaringType());
            if (field.Attributes.HasFlag(FieldAttributes.InitOnly)
                && Array.Exists(Identities.ReadOnly, known => known.Assembly == name && known.Type == owner && metadata.StringComparer.Equals(field.Name, known.Field)))
            {
                // The attributes are the first column of the table.
                int row = metadata.GetTableMetadataOffset(TableIndex.Field) + ((MetadataTokens.GetRowNumber(handle) - 1) * metadata.GetTableRowSize(TableIndex.Field));
                ushort* attributes = (ushort*)(start + row);
                if (OwnPage((nuint)attributes))
                {
                    *attributes &= unchecked((ushort)~FieldAttributes.InitOnly);
                }
            }
        }
    }

    /// <summary>Maps the page of the file anew, for this process to write to.</summary>
    private static bool OwnPage(nuint address)
    {
        nuint size = (nuint)Environment.SystemPageSize;
        nuint page = address & ~(size - 1);
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            (ulong from, ulong to) = ReservedMemory.AddressesOf(line);
            if (page < from || page >= to)
            {
                continue;
            }

            string[] words = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            if (words[1][1] == 'w')
            {
                return true;
            }

            if (words is not [_, _, var offset, _, _, ['/', ..] path])
            {
                return false;
            }

            using SafeFileHandle file = File.OpenHandle(path);
            nint at = (nint)(Convert.ToUInt64(offset, 16) + page - from);
            return Map(page, size, ReadWrite, PrivateFixed, (int)file.DangerousGetHandle(), at) == page;
        }

        return false;
    }

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern nuint Map(nuint address, nuint length, int protection, int flags, int descriptor, nint offset);
}
