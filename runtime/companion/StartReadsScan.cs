using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Looks for calls that read a setting, with a constant name: directly, or through methods that hand a name of their caller on.
/// Nothing is loaded or run for it.
/// </summary>
internal sealed class StartReadsScan
{
    /// <summary>Methods that hand on a name may be called from other assemblies, and those by others again.</summary>
    private const int MostRounds = 3;

    /// <summary>Methods that read a variable by the name that they are given, as `TYPE.METHOD`.</summary>
    private readonly HashSet<string> _readers = new(StringComparer.Ordinal) { "System.Environment.GetEnvironmentVariable" };

    public HashSet<string> Variables { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Texts { get; } = new(StringComparer.OrdinalIgnoreCase);

    public HashSet<string> Keys { get; } = new(StringComparer.OrdinalIgnoreCase);

    public HashSet<string> KeyFolders { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Paths { get; } = new(StringComparer.Ordinal);

    public SortedSet<string> Unread { get; } = new(StringComparer.Ordinal);

    public void Run()
    {
        HashSet<string> own;
        using (RiskyMembersAssemblies assemblies = RiskyMembersAssemblies.Open())
        {
            own = [.. assemblies.Names];
        }

        List<string> files = [.. Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Where(file => StartReads.IsOfApp(Path.GetFileNameWithoutExtension(file)))];
        for (int round = 0, known = 0; round < MostRounds && known < _readers.Count; round++)
        {
            known = _readers.Count;
            foreach (string file in files)
            {
                string name = Path.GetFileNameWithoutExtension(file);
                Try(name, () => Read(file, own.Contains(name), first: round == 0));
            }
        }

        // An app in a single file has its assemblies elsewhere.
        if (own.FirstOrDefault(name => !File.Exists(Path.Combine(AppContext.BaseDirectory, $"{name}.dll"))) is { } missing)
        {
            Unread.Add(missing);
        }
    }

    private void Read(string file, bool own, bool first)
    {
        // Read at once: a file that is open or mapped would be part of the checkpoint.
        using PEReader image = new(File.OpenRead(file), PEStreamOptions.PrefetchEntireImage);
        if (!image.HasMetadata)
        {
            return;
        }

        MetadataReader metadata = image.GetMetadataReader();
        if (first)
        {
            AddTexts(metadata);
        }

        Methods methods = new(metadata);
        if (!own && !methods.Uses(_readers))
        {
            return;
        }

        List<MethodBody> bodies = MethodBody.In(image, metadata, methods);
        HashSet<string> following = MethodBody.Following(bodies, methods);
        int before;
        do
        {
            before = _readers.Count;
            foreach (MethodBody body in bodies)
            {
                ReadVariables(body, bodies, methods, following, own);
            }
        }
        while (_readers.Count > before);

        if (own && first)
        {
            HashSet<string> once = MethodBody.CalledOnce(bodies, methods);
            foreach (MethodBody body in bodies.Where(body => !following.Contains(body.Owner)))
            {
                ReadPaths(body, methods);
                if (body.IsStart || once.Contains(body.Owner))
                {
                    Keys.UnionWith(StartReadsKeys.In(body, methods));
                }
            }
        }
    }

    private void AddTexts(MetadataReader metadata)
    {
        for (UserStringHandle handle = metadata.GetNextHandle(MetadataTokens.UserStringHandle(0)); !handle.IsNil; handle = metadata.GetNextHandle(handle))
        {
            string text = metadata.GetUserString(handle);
            if (StartOnly.IsOfLibrary(text))
            {
                Texts.Add(text);
            }
        }
    }

    private void ReadVariables(MethodBody body, List<MethodBody> bodies, Methods methods, HashSet<string> following, bool own)
    {
        foreach (int at in body.CallsBeforeTheEnd(methods, _readers.Contains))
        {
            Method called = methods.Of(body.Instructions[at].Token);
            List<string> names = body.Instructions[at].Code == ILOpCode.Ldftn ? [] : body.ConstantsFor(at, called.Parameters, methods);
            if (names.Count == 0)
            {
                // The name is the caller's, or one of a list.
                if (body.OwnerParameters > 0)
                {
                    _readers.Add(body.Owner);
                }

                names = [.. body.AllConstants(methods), .. bodies.Where(other => other.Owner == $"{body.OwnerType}..cctor").SelectMany(other => other.AllConstants(methods))];
            }

            if (!following.Contains(body.Owner))
            {
                Variables.UnionWith(names.Where(name => StartOnly.IsName(name) && (own || !StartOnly.IsOfPlatform(name))));
            }
        }
    }

    private void ReadPaths(MethodBody body, Methods methods)
    {
        foreach (int at in body.CallsBeforeTheEnd(methods, called => called is "System.IO.File.Exists" or "System.IO.Directory.Exists" or "System.IO.Path.Exists"))
        {
            Paths.UnionWith(body.ConstantsFor(at, 1, methods).Where(path => path.Length > 0));
        }

        foreach (int at in body.CallsBeforeTheEnd(methods, called => called.EndsWith(".KeyPerFileConfigurationBuilderExtensions.AddKeyPerFile", StringComparison.Ordinal)))
        {
            KeyFolders.UnionWith(body.ConstantsFor(at, methods.Of(body.Instructions[at].Token).Parameters, methods));
        }
    }

    private void Try(string name, Action work)
    {
        try
        {
            work();
        }
#pragma warning disable CA1031 // Obfuscators and other compilers write what nobody foresaw; what can't be read is told.
        catch (Exception)
#pragma warning restore CA1031
        {
            Unread.Add(name);
        }
    }
}
