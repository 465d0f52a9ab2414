using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Optional sources with a file for each key (AddKeyPerFile). Where the folder is missing when the app starts, they forget its name
/// and stay empty for ever. The app's code tells the name.
/// </summary>
internal static class KeyFolders
{
    private const string ProviderType = "Microsoft.Extensions.Configuration.KeyPerFile.KeyPerFileConfigurationProvider";

    /// <summary>Where engines put secrets, whatever the code says.</summary>
    private const string Usual = "/run/secrets";

    private static readonly HashSet<object> s_empty = new(ReferenceEqualityComparer.Instance);
    private static List<string> s_missing = [];

    /// <summary>Notes which sources have no folder, and which folders are missing.</summary>
    public static void Note(IEnumerable<IConfigurationProvider> providers)
    {
        s_empty.Clear();
        s_empty.UnionWith(providers.Where(provider => provider.GetType().FullName == ProviderType && FileProviderOf(provider)?.GetValue(SourceOf(provider)) is null));
        s_missing = [.. StartReads.KeyFolders.DefaultIfEmpty(Usual).Where(folder => !Directory.Exists(folder))];
    }

    /// <summary>Gives a source the folder that is there now. Throws <see cref="RestoreException"/> where it may be another's.</summary>
    public static void Complete(IConfigurationProvider provider)
    {
        if (!s_empty.Contains(provider) || s_missing.FindAll(Directory.Exists) is not { Count: > 0 } folders)
        {
            return;
        }

        if (s_empty.Count > 1 || folders.Count > 1 || StartReads.KeyFolders.Count == 0 || FileProviderOf(provider) is not { } fileProvider)
        {
            throw new RestoreException($"the folder {folders[0]} was not there at the build, and the app's configuration does not tell which source reads it");
        }

        fileProvider.SetValue(SourceOf(provider), new PhysicalFileProvider(folders[0]));
    }

    private static object? SourceOf(IConfigurationProvider provider) =>
        provider.GetType().GetProperty("Source", BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)?.GetValue(provider);

    private static PropertyInfo? FileProviderOf(IConfigurationProvider provider) => SourceOf(provider)?.GetType().GetProperty("FileProvider");
}
