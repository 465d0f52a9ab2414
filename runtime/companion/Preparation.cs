using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.InteropServices;

namespace DotnetSnapshot.Companion;

/// <summary>What is done to the process right before its checkpoint.</summary>
internal static class Preparation
{
    /// <summary>Pools of outbound connections that would come back dead: type and static method that empties them.</summary>
    private static readonly (string Assembly, string Type)[] s_connectionPools =
    [
        ("Npgsql", "Npgsql.NpgsqlConnection"),
        ("Microsoft.Data.SqlClient", "Microsoft.Data.SqlClient.SqlConnection"),
        ("System.Data.SqlClient", "System.Data.SqlClient.SqlConnection"),
        ("MySqlConnector", "MySqlConnector.MySqlConnection"),
        ("Microsoft.Data.Sqlite", "Microsoft.Data.Sqlite.SqliteConnection"),
    ];

    public static string Run()
    {
        List<string> cleared = ClearConnectionPools();
        long before = GC.GetTotalMemory(forceFullCollection: false);
        CompactHeap();
        return $$"""{"clearedPools":[{{string.Join(',', cleared.ConvertAll(pool => $"\"{pool}\""))}}],"heapBytesBefore":{{before}},"heapBytesAfter":{{GC.GetTotalMemory(forceFullCollection: false)}}}""";
    }

    private static List<string> ClearConnectionPools()
    {
        List<string> cleared = [];
        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
        {
            foreach ((string name, string type) in s_connectionPools)
            {
                if (assembly.GetName().Name == name && assembly.GetType(type)?.GetMethod("ClearAllPools", Type.EmptyTypes) is { } clear)
                {
                    clear.Invoke(null, null);
                    cleared.Add(name);
                }
            }
        }

        return cleared;
    }

    /// <summary>
    /// Twice, with finalizers between: what a finalizer let go of is collected by the second. Garbage would be stored
    /// in the snapshot, and garbage is where request data with secrets lies.
    /// </summary>
    private static void CompactHeap()
    {
        for (int round = 0; round < 2; round++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        if (NativeLibrary.TryLoad("libc.so.6", out nint libc) && NativeLibrary.TryGetExport(libc, "malloc_trim", out nint trim))
        {
            unsafe
            {
                _ = ((delegate* unmanaged<nuint, int>)trim)(0);
            }
        }
    }
}
