using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json;

namespace DotnetSnapshot.Companion;

/// <summary>The metadata of the assemblies that were built from the app's own projects, and of those from packages.</summary>
internal sealed unsafe class RiskyMembersAssemblies : IDisposable
{
    private readonly List<PEReader> _files = [];

    private readonly List<(string Name, bool IsOwn, MetadataReader Metadata)> _opened = [];

    /// <summary>Names of all, whether they can be read or not.</summary>
    public SortedSet<string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>Names of those that can't be read, or not to their end.</summary>
    public SortedSet<string> Unread { get; } = new(StringComparer.Ordinal);

    public static RiskyMembersAssemblies Open()
    {
        RiskyMembersAssemblies own = new();
        SortedSet<string> ofPackages = new(StringComparer.Ordinal);
        if (Assembly.GetEntryAssembly()?.GetName().Name is { } entry)
        {
            own.Names.Add(entry);
        }

        foreach (string file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*.deps.json"))
        {
            own.Try(Path.GetFileName(file), () =>
            {
                own.Names.UnionWith(LibrariesIn(file, "project"));
                ofPackages.UnionWith(LibrariesIn(file, "package"));
            });
        }

        // An app may build the package of the hooks from source; what is in it is made for clones.
        own.Names.Remove("DotnetSnapshot");
        foreach (string name in own.Names)
        {
            own.Try(name, () => own._opened.Add((name, true, own.OpenFile(name) ?? OpenLoaded(name))));
        }

        // Of packages, those that an app may do without; the framework's are known.
        foreach (string name in ofPackages.Where(name => !name.StartsWith("Microsoft.", StringComparison.Ordinal) && !name.StartsWith("System.", StringComparison.Ordinal)))
        {
            own.Try(name, () =>
            {
                if (own.OpenFile(name) is { } metadata)
                {
                    own._opened.Add((name, false, metadata));
                }
            });
        }

        return own;
    }

    /// <summary>By name, whether it is the app's own, and metadata.</summary>
    public void ForEach(Action<string, bool, MetadataReader> work) =>
        _opened.ForEach(assembly => Try(assembly.Name, () => work(assembly.Name, assembly.IsOwn, assembly.Metadata)));

    public void Dispose() => _files.ForEach(file => file.Dispose());

    private void Try(string name, Action work)
    {
        try
        {
            work();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or BadImageFormatException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            Unread.Add(name);
        }
    }

    /// <summary>Assemblies of the libraries of a type, "project" or "package"; the name of a library need not be that of its assembly.</summary>
    private static List<string> LibrariesIn(string depsFile, string type)
    {
        using JsonDocument deps = JsonDocument.Parse(File.ReadAllBytes(depsFile));
        HashSet<string> ofType = [.. deps.RootElement.GetProperty("libraries").EnumerateObject()
            .Where(library => library.Value.GetProperty("type").ValueEquals(type))
            .Select(library => library.Name)];
        return [.. from target in deps.RootElement.GetProperty("targets").EnumerateObject()
                   from library in target.Value.EnumerateObject()
                   where ofType.Contains(library.Name) && library.Value.TryGetProperty("runtime", out _)
                   from assembly in library.Value.GetProperty("runtime").EnumerateObject()
                   select Path.GetFileNameWithoutExtension(assembly.Name)];
    }

    private MetadataReader? OpenFile(string name)
    {
        string path = Path.Combine(AppContext.BaseDirectory, $"{name}.dll");
        if (!File.Exists(path))
        {
            return null;
        }

        // Read at once: a file that is open or mapped would be part of the checkpoint.
        PEReader file = new(File.OpenRead(path), PEStreamOptions.PrefetchMetadata);
        _files.Add(file);
        return file.GetMetadataReader();
    }

    /// <summary>Of an app in a single file, only what is loaded can be read.</summary>
    private static MetadataReader OpenLoaded(string name)
    {
        Assembly? loaded = Array.Find(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == name);
        return loaded is not null && loaded.TryGetRawMetadata(out byte* metadata, out int length)
            ? new MetadataReader(metadata, length)
            : throw new FileNotFoundException(name);
    }
}
