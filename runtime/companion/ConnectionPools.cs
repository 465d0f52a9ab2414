using System;
using System.Collections.Generic;
using System.Data.Common;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Pools of database connections, which would come back dead. HttpClient needs no such care: it notices that an idle
/// connection was closed and opens another.
/// </summary>
internal static class ConnectionPools
{
    /// <summary>Assembly, and the type with a static ClearAllPools().</summary>
    private static readonly (string Assembly, string Type)[] s_pools =
    [
        ("Npgsql", "Npgsql.NpgsqlConnection"),
        ("Microsoft.Data.SqlClient", "Microsoft.Data.SqlClient.SqlConnection"),
        ("System.Data.SqlClient", "System.Data.SqlClient.SqlConnection"),
        ("MySqlConnector", "MySqlConnector.MySqlConnection"),
        ("MySql.Data", "MySql.Data.MySqlClient.MySqlConnection"),
        ("Oracle.ManagedDataAccess", "Oracle.ManagedDataAccess.Client.OracleConnection"),
        ("Microsoft.Data.Sqlite", "Microsoft.Data.Sqlite.SqliteConnection"),
    ];

    /// <summary>Empties all pools; returns the assemblies that had one.</summary>
    public static List<string> Clear(AppHost host)
    {
        List<string> cleared = [];
        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
        {
            foreach ((string name, string type) in s_pools)
            {
                if (assembly.GetName().Name == name && assembly.GetType(type)?.GetMethod("ClearAllPools", Type.EmptyTypes) is { } clear)
                {
                    clear.Invoke(null, null);
                    cleared.Add(name);
                }
            }
        }

        // A data source that was built by itself is not among its driver's pools.
        NpgsqlSources.All().ForEach(Clear);
        if (host.Find<DbDataSource>() is { } source)
        {
            Clear(source);
        }

        return cleared;
    }

    private static void Clear(DbDataSource source) => source.GetType().GetMethod("Clear", Type.EmptyTypes)?.Invoke(source, null);
}
