using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Databases of SQLite that are open at the checkpoint. SQLite knows a file by its device and inode, which are others in each
/// container: it would refuse to write ("attempt to write a readonly database"), and connections that are opened later
/// would not see the locks of these. A restore puts the new numbers in place of the old ones.
/// </summary>
internal static unsafe class SqliteFiles
{
    /// <summary>Providers of SQLitePCLRaw have the name of their library after this.</summary>
    private const string Provider = "SQLitePCLRaw.provider.";

    /// <summary>SQLITE_FCNTL_FILE_POINTER, SQLITE_UTF8.</summary>
    private const int FilePointer = 7, Utf8 = 1;

    private static readonly HashSet<nint> s_open = [];
    private static readonly List<(nint Inode, int Descriptor)> s_known = [];

    private static delegate* unmanaged<nint, byte*, int, int, nint, delegate* unmanaged[Cdecl]<nint, int, nint, void>, nint, nint, delegate* unmanaged[Cdecl]<nint, void>, int> s_createFunction;
    private static delegate* unmanaged<nint, int, byte*> s_databaseName;
    private static delegate* unmanaged<nint, byte*, byte*> s_fileName;
    private static delegate* unmanaged<nint, byte*, int, nint*, int> s_control;
    private static delegate* unmanaged<byte*, nint> s_findVfs;

    /// <summary>Before the app's own code runs: each connection that it opens is noted from now on.</summary>
    public static void Watch() => AppDomain.CurrentDomain.AssemblyLoad += static (_, loaded) => Attach(loaded.LoadedAssembly);

    /// <summary>
    /// Right before the checkpoint: finds the numbers of each open database; returns the paths of those that a restore will
    /// make right.
    /// </summary>
    public static List<string> Note()
    {
        List<string> paths = [];
        lock (s_open)
        {
            s_known.Clear();
            foreach (nint database in s_open)
            {
                for (int number = 0; s_databaseName(database, number) is var name && name is not null; number++)
                {
                    if (Find(database, name) is { } known)
                    {
                        s_known.Add(known);
                        paths.Add(Marshal.PtrToStringUTF8((nint)s_fileName(database, name)) ?? "");
                    }
                }
            }
        }

        return paths;
    }

    /// <summary>After the restore: the numbers that the files have here.</summary>
    public static void Renew()
    {
        ulong* status = stackalloc ulong[64];
        foreach ((nint inode, int descriptor) in s_known)
        {
            if (!Status(descriptor, status))
            {
                throw new RestoreException("a database of SQLite can't be looked at");
            }

            (((ulong*)inode)[0], ((ulong*)inode)[1]) = (status[0], status[1]);
        }
    }

    private static void Attach(Assembly assembly)
    {
        if (assembly.GetName().Name is not { } name || !name.StartsWith(Provider, StringComparison.Ordinal)
            || !NativeLibrary.TryLoad(name[Provider.Length..], assembly, null, out nint library)
            || !NativeLibrary.TryGetExport(library, "sqlite3_db_name", out nint databaseName)
            || !NativeLibrary.TryGetExport(library, "sqlite3_auto_extension", out nint autoExtension))
        {
            return;
        }

        s_databaseName = (delegate* unmanaged<nint, int, byte*>)databaseName;
        s_createFunction = (delegate* unmanaged<nint, byte*, int, int, nint, delegate* unmanaged[Cdecl]<nint, int, nint, void>, nint, nint, delegate* unmanaged[Cdecl]<nint, void>, int>)NativeLibrary.GetExport(library, "sqlite3_create_function_v2");
        s_fileName = (delegate* unmanaged<nint, byte*, byte*>)NativeLibrary.GetExport(library, "sqlite3_db_filename");
        s_control = (delegate* unmanaged<nint, byte*, int, nint*, int>)NativeLibrary.GetExport(library, "sqlite3_file_control");
        s_findVfs = (delegate* unmanaged<byte*, nint>)NativeLibrary.GetExport(library, "sqlite3_vfs_find");
        var register = (delegate* unmanaged<delegate* unmanaged[Cdecl]<nint, nint, nint, int>, int>)autoExtension;
        _ = register(&Opened);
    }

    /// <summary>
    /// The unixInodeInfo of a database's file, which begins with device and inode, and its descriptor. Null for what is no
    /// file, and where memory is not laid out as it is known of SQLite: unixFile is methods, VFS, inode, descriptor.
    /// </summary>
    private static (nint Inode, int Descriptor)? Find(nint database, byte* name)
    {
        nint file = 0;
        ulong* status = stackalloc ulong[64];
        fixed (byte* unix = "unix\0"u8)
        {
            if (s_control(database, name, FilePointer, &file) != 0 || file == 0 || ((nint*)file)[0] == 0 || ((nint*)file)[1] != s_findVfs(unix))
            {
                return null;
            }
        }

        nint inode = ((nint*)file)[2];
        int descriptor = ((int*)file)[6];
        return inode != 0 && Status(descriptor, status) && ((ulong*)inode)[0] == status[0] && ((ulong*)inode)[1] == status[1] ? (inode, descriptor) : null;
    }

    /// <summary>struct stat of a descriptor, which begins with device and inode. Not every C library exports fstat.</summary>
    private static bool Status(int descriptor, ulong* status) =>
        SystemCall(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 5 : 80, descriptor, status) == 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Opened(nint database, nint error, nint api)
    {
        lock (s_open)
        {
            s_open.Add(database);
        }

        // A function that nobody calls: SQLite tells when it is gone, and so the connection.
        fixed (byte* name = "dotnet_snapshot_connection\0"u8)
        {
            return s_createFunction(database, name, 0, Utf8, database, &Called, 0, 0, &Closed);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Called(nint context, int count, nint values)
    {
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Closed(nint database)
    {
        lock (s_open)
        {
            s_open.Remove(database);
        }
    }

    [DllImport("libc", EntryPoint = "syscall")]
    private static extern long SystemCall(long number, long descriptor, ulong* status);
}
