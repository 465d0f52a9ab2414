using System;
using System.Collections.Generic;
using System.Data.Common;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Connection strings that the app read once, when it was warmed, and keeps: as options of a pooled DbContext, or as
/// an Npgsql data source. Npgsql's data sources are told the new string; everything that was made of the old one then
/// connects by the new one.
/// </summary>
internal static class ConnectionStrings
{
    private const BindingFlags Members = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static Dictionary<string, string> s_noted = [];

    /// <summary>Notes the configured connection strings as they are at the checkpoint.</summary>
    public static void Note() => s_noted = AppConfiguration.Any ? Configured() : [];

    /// <summary>
    /// After the configuration was reloaded. Returns the keys whose new string was told to all that was made of the old one. Throws
    /// <see cref="RestoreException"/> where a source can't be told.
    /// </summary>
    public static HashSet<string> TakeOver()
    {
        HashSet<string> told = new(StringComparer.OrdinalIgnoreCase);
        List<DbDataSource> sources = s_noted.Count == 0 ? [] : NpgsqlSources.All();
        if (sources.Count == 0)
        {
            return told;
        }

        Dictionary<string, string> now = Configured();
        foreach ((string key, string before) in s_noted)
        {
            if (now.TryGetValue(key, out string? value) && value != before)
            {
                foreach (DbDataSource source in sources.FindAll(source => IsSame(source, before)))
                {
                    Tell(source, value, key);
                    told.Add(key);
                }
            }
        }

        return told;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Dictionary<string, string> Configured()
    {
        Dictionary<string, string> found = [];
        foreach ((string key, string? value) in AppConfiguration.Roots().SelectMany(root => root.AsEnumerable()))
        {
            if (value is not null && value.Contains('=', StringComparison.Ordinal) && value.Contains(';', StringComparison.Ordinal))
            {
                found[key] = value;
            }
        }

        return found;
    }

    private static bool IsSame(DbDataSource source, string connectionString)
    {
        DbConnectionStringBuilder settings = SettingsOf(source);
        DbConnectionStringBuilder other = (DbConnectionStringBuilder)Activator.CreateInstance(settings.GetType(), connectionString)!;
        return settings.Keys!.Cast<string>().Union(other.Keys!.Cast<string>())
            .All(key => key.Equals("Password", StringComparison.OrdinalIgnoreCase) || Equals(settings[key], other[key]));
    }

    private static DbConnectionStringBuilder SettingsOf(DbDataSource source) =>
        (DbConnectionStringBuilder)source.GetType().GetProperty("Settings", Members)!.GetValue(source)!;

    private static void Tell(DbDataSource source, string connectionString, string key)
    {
        try
        {
            DbConnectionStringBuilder settings = SettingsOf(source);
            settings.ConnectionString = connectionString;
            source.GetType().GetProperty("Password")!.SetValue(source, settings.TryGetValue("Password", out object? password) ? password : null);
        }
#pragma warning disable CA1031 // However another version of the driver refuses: the app must not go on with the old string.
        catch (Exception error)
#pragma warning restore CA1031
        {
            throw new RestoreException($"{key} differs from the build, and Npgsql's data source can't be told: {(error.InnerException ?? error).Message}");
        }
    }
}
