using System;
using System.Collections;
using System.Collections.Generic;
using System.Data.Common;
using System.Linq;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>Npgsql's data sources: those of its pools, and those that an app, EF Core or a service built.</summary>
internal static class NpgsqlSources
{
    private const BindingFlags Members = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>All that this process has; none where it does not use Npgsql.</summary>
    public static List<DbDataSource> All()
    {
        if (Array.Find(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == "Npgsql") is not { } npgsql)
        {
            return [];
        }

        return [.. Pooled(npgsql).Concat(Reporting(npgsql)).Distinct()];
    }

    private static IEnumerable<DbDataSource> Pooled(Assembly npgsql)
    {
        Type manager = npgsql.GetType("Npgsql.PoolManager", throwOnError: true)!;
        object? pools = manager.GetProperty("Pools", Members)?.GetValue(null) ?? manager.GetField("Pools", Members)?.GetValue(null);
        return ((IDictionary)pools!).Values.Cast<DbDataSource>();
    }

    /// <summary>Each data source has a reporter for its metrics, whoever built it; versions without that have none.</summary>
    private static IEnumerable<DbDataSource> Reporting(Assembly npgsql)
    {
        if (npgsql.GetType("Npgsql.MetricsReporter")?.GetField("Reporters", Members)?.GetValue(null) is not IEnumerable reporters)
        {
            return [];
        }

        return reporters.Cast<object>().ToList()
            .Select(reporter => reporter.GetType().GetField("_dataSource", Members)?.GetValue(reporter))
            .OfType<DbDataSource>();
    }
}
