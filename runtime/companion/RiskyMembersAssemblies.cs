using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json;

namespace DotnetSnapshot.Companion;

/// <summary>The metadata of the assemblies that were built from the app's own projects, not of those from packages.</summary>
internal sealed unsafe class RiskyMembersAssemblies : IDisposable
{
    private readonly List<PEReader> _files = [];

    private readonly List<(string Name, MetadataReader Metadata)> _opened = [];

    /// <summary>Names of those that can't be read, or not to their end.</summary>
    public SortedSet<string> Unread { get; } = new(StringComparer.Ordinal);

    public static RiskyMembersAssemblies Open()
    {
        RiskyMembersAssemblies own = new();
        SortedSet<string> names = new(StringComparer.Ordinal);
        if (Assembly.GetEntryAssembly()?.GetName().Name is { } entry)
        {
            names.Add(entry);
        }

        foreach (string file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*.deps.json"))
        {
            own.Try(Path.GetFileName(file), () => names.UnionWith(ProjectsIn(file)));
        }

        // An app may build the package of the hooks from source; what is in it is made for clones.
        names.Remove("DotnetSnapshot");
        foreach (string name in names)
        {
            own.Try(name, () => own._opened.Add((name, own.OpenFile(name) ?? OpenLoaded(name))));
        }

        return own;
    }

    public void ForEach(Action<string, MetadataReader> work) =>
        _opened.ForEach(assembly => Try(assembly.Name, () => work(assembly.Name, assembly.Metadata)));

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

    /// <summary>Assemblies of the libraries of type "project"; the name of a library need not be that of its assembly.</summary>
    private static List<string> ProjectsIn(string depsFile)
    {
        using JsonDocument deps = JsonDocument.Parse(File.ReadAllBytes(depsFile));
        HashSet<string> projects = [.. deps.RootElement.GetProperty("libraries").EnumerateObject()
            .Where(library => library.Value.GetProperty("type").ValueEquals("project"))
            .Select(library => library.Name)];
        return [.. from target in deps.RootElement.GetProperty("targets").EnumerateObject()
                   from library in target.Value.EnumerateObject()
                   where projects.Contains(library.Name) && library.Value.TryGetProperty("runtime", out _)
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
