using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace DotnetSnapshot.Companion;

/// <summary>The environment variables of the container that the app runs in now, in place of those of the build.</summary>
internal sealed class Surroundings
{
    /// <summary>Read once, by the runtime or a host, before the app's own code runs; a running app can't follow them.</summary>
    private static readonly string[] s_readAtStart = ["DOTNET_", "COMPlus_", "CORECLR_", "ASPNETCORE_"];

    private static readonly string[] s_readAtStartByName =
        ["LD_PRELOAD", "LD_LIBRARY_PATH", "GLIBC_TUNABLES", "OPENSSL_CONF", "URLS", "HTTP_PORTS", "HTTPS_PORTS"];


    /// <summary>What the warming container sets for the checkpoint's sake, and what speaks to the launcher.</summary>
    private static readonly string[] s_ofTheSnapshot =
    [
        "DOTNET_SNAPSHOT", "DOTNET_EnableWriteXorExecute", "DOTNET_USE_POLLING_FILE_WATCHER", "DOTNET_TC_CallCountingDelayMs",
    ];

    private readonly Dictionary<string, string> _atStart = Current();
    private HashSet<string> _setByApp = [];

    /// <summary>Remembers which variables the app itself has set; they are its own after the restore, too.</summary>
    public void NoteOwnChanges()
    {
        Dictionary<string, string> now = Current();
        _setByApp = [.. _atStart.Keys.Concat(now.Keys).Where(name => _atStart.GetValueOrDefault(name) != now.GetValueOrDefault(name))];
    }

    /// <summary>
    /// Makes `container` the app's environment. Returns the names of variables that differ from the build's; throws
    /// <see cref="RestoreException"/> where one differs that a running app can't follow.
    /// </summary>
    public List<string> TakeOver(IReadOnlyDictionary<string, string> container)
    {
        // Plain loops: all of this is on the way to the first answer.
        List<string> different = [];
        foreach ((string name, string value) in container)
        {
            if (Environment.GetEnvironmentVariable(name) != value && !_setByApp.Contains(name))
            {
                different.Add(name);
            }
        }

        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (!container.ContainsKey((string)variable.Key) && !_setByApp.Contains((string)variable.Key))
            {
                different.Add((string)variable.Key);
            }
        }

        foreach (string name in different)
        {
            string? value = container.GetValueOrDefault(name);
            if (IsReadAtStart(name) && !IsOfService(name, value) && Effective(name, Environment.GetEnvironmentVariable(name)) != Effective(name, value))
            {
                throw new RestoreException($"{name} differs from the build, and a running app can't follow it");
            }
        }

        foreach (string name in different)
        {
            Environment.SetEnvironmentVariable(name, container.GetValueOrDefault(name));
        }

        TimeZoneInfo.ClearCachedData();
        CultureInfo.CurrentCulture.ClearCachedData();
        different.Sort(StringComparer.Ordinal);
        different.RemoveAll(name => name == "HOSTNAME" || BelongsTo(s_readAtStart, name) || BelongsTo(s_ofTheSnapshot, name));
        return different;
    }

    private static bool IsReadAtStart(string name) =>
        Array.Exists(s_readAtStartByName, known => known.Equals(name, StringComparison.OrdinalIgnoreCase))
        || (BelongsTo(s_readAtStart, name) && !BelongsTo(s_ofTheSnapshot, name));

    /// <summary>Kubernetes tells of a service `dotnet-shop` by variables such as DOTNET_SHOP_PORT_80_TCP, which are no settings.</summary>
    private static bool IsOfService(string name, string? value) =>
        name.EndsWith("_SERVICE_HOST", StringComparison.Ordinal)
        || name.Contains("_SERVICE_PORT", StringComparison.Ordinal)
        || name.Contains("_TCP", StringComparison.Ordinal)
        || name.Contains("_UDP", StringComparison.Ordinal)
        || value?.StartsWith("tcp://", StringComparison.Ordinal) == true
        || value?.StartsWith("udp://", StringComparison.Ordinal) == true;

    private static bool BelongsTo(string[] prefixes, string name) =>
        Array.Exists(prefixes, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    /// <summary>A host without an environment's name is in production.</summary>
    private static string? Effective(string name, string? value) =>
        value ?? (name.EndsWith("_ENVIRONMENT", StringComparison.Ordinal) ? "Production" : null);

    private static Dictionary<string, string> Current() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "");
}
