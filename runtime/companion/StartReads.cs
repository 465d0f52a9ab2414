using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Settings that the app's and its packages' code reads where a restored process will not read them again: names of environment
/// variables, keys of the configuration, and files and folders that it asks for. They are found in the code itself, for .NET
/// tells nobody who reads a variable. What only handlers of requests and after-restore hooks read is left out: it follows.
/// </summary>
internal static class StartReads
{
    private static readonly string[] s_frameworks = ["System.", "Microsoft.AspNetCore.", "Microsoft.Extensions.", "Microsoft.NETCore.", "Microsoft.Win32.", "Microsoft.VisualBasic"];

    /// <summary>The most names of a kind that are told.</summary>
    private const int MostNames = 100;

    private static readonly Dictionary<string, bool> s_paths = new(StringComparer.Ordinal);
    private static bool s_found;

    /// <summary>Environment variables that are read directly.</summary>
    public static HashSet<string> Variables { get; } = new(StringComparer.Ordinal);

    /// <summary>Texts in the code that may be names of variables, for those that a library reads in ways of its own.</summary>
    public static HashSet<string> Texts { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Keys of the configuration that the app's start reads; a section, whose every key counts, ends with a colon.</summary>
    public static HashSet<string> Keys { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Folders with a file for each key (AddKeyPerFile).</summary>
    public static HashSet<string> KeyFolders { get; } = new(StringComparer.Ordinal);

    /// <summary>Assemblies that could not be read.</summary>
    public static SortedSet<string> Unread { get; } = new(StringComparer.Ordinal);

    /// <summary>Looks through the code, once. To be called before the app's own code runs.</summary>
    public static void Find()
    {
        if (s_found)
        {
            return;
        }

        s_found = true;
        try
        {
            Scan();
        }
#pragma warning disable CA1031 // Whatever it is must not keep the app from starting; the build then says that nothing could be searched.
        catch (Exception)
#pragma warning restore CA1031
        {
            // A trimmed app may have come without the framework's metadata reader.
            Unread.Add("all");
        }
    }

    /// <summary>Notes which of the files and folders are there at the checkpoint.</summary>
    public static void NotePaths()
    {
        foreach (string path in s_paths.Keys.ToList())
        {
            s_paths[path] = Path.Exists(path);
        }
    }

    /// <summary>A file or folder that is there now and was not at the checkpoint, or the other way round; null for none.</summary>
    public static string? ChangedPath()
    {
        foreach ((string path, bool existed) in s_paths)
        {
            if (Path.Exists(path) != existed && !MayDiffer.Allows(path))
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>`{"variables":[…],"keys":[…],"unread":[…]}`, for the log.</summary>
    public static string Describe() =>
        $$"""{"variables":{{List(Variables.Where(name => !name.Any(char.IsAsciiLetterLower) || name.Contains('_', StringComparison.Ordinal)))}},"keys":{{List(Keys)}},"unread":{{List(Unread)}}}""";

    /// <summary>Whether an assembly is the app's or a package's. The framework, which a self-contained app has beside it, is known without being read; hooks are made for clones.</summary>
    public static bool IsOfApp(string name) =>
        name != "DotnetSnapshot" && name != "netstandard" && name != "mscorlib" && !Array.Exists(s_frameworks, prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Whether the app's start reads this key, or a section that it is in.</summary>
    public static bool HasKey(string key) =>
        Keys.Contains(key) || Keys.Any(section => section[^1] == ':' && key.StartsWith(section, StringComparison.OrdinalIgnoreCase));

    private static string List(IEnumerable<string> names) => Json.List(names.Order(StringComparer.Ordinal).Take(MostNames).Select(Json.Text));

    // Not inlined: what a trimmed app lacks is missed when this method is compiled.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Scan()
    {
        StartReadsScan scan = new();
        scan.Run();
        Variables.UnionWith(scan.Variables);
        Texts.UnionWith(scan.Texts);
        Keys.UnionWith(scan.Keys);
        KeyFolders.UnionWith(scan.KeyFolders);
        Unread.UnionWith(scan.Unread);
        foreach (string path in scan.Paths)
        {
            s_paths[path] = false;
        }
    }
}
