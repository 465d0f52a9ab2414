using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace DotnetSnapshot.Companion;

/// <summary>The environment variables of the container that the app runs in now, in place of those of the build.</summary>
internal sealed class Surroundings
{
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

        foreach (string name in _setByApp)
        {
            // What the app made of it was made of the build's.
            string? value = container.GetValueOrDefault(name);
            if (value != _atStart.GetValueOrDefault(name) && value != Environment.GetEnvironmentVariable(name) && !StartOnly.IsOfPlatform(name) && !MayDiffer.Allows(name))
            {
                throw new RestoreException($"{name} differs from the build, and the app has replaced it when it started");
            }
        }

        foreach (string name in different)
        {
            string? value = container.GetValueOrDefault(name);
            if (StartOnly.Misses(name, Environment.GetEnvironmentVariable(name), value))
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
        different.RemoveAll(name => name == "HOSTNAME" || StartOnly.IsOfRuntime(name));
        return different;
    }

    private static Dictionary<string, string> Current() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "");
}
