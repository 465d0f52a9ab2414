using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.FileProviders;

namespace DotnetSnapshot.Companion;

/// <summary>The app's configurations, which IOptionsMonitor follows: those of its hosts, and those that it has built by itself.</summary>
internal static class AppConfiguration
{
    private static readonly Dictionary<object, (string? Path, DateTime Modified)> s_files = [];

    /// <summary>Filled once: after a restore nothing is looked for.</summary>
    private static List<object> s_roots = [];

    /// <summary>Looks for all configurations of the app. To be called before <see cref="Note"/>.</summary>
    public static void Find(AppHost host)
    {
        if (IsUsed())
        {
            FindRoots(host);
        }
    }

    /// <summary>Notes the files of configuration as they are at the checkpoint.</summary>
    public static void Note()
    {
        if (s_roots.Count > 0)
        {
            NoteRoots();
        }
    }

    /// <summary>
    /// Reads every source anew: environment, command line, and files, secrets among them. `arguments` are further ones than the app
    /// was started with. Throws <see cref="RestoreException"/> where the app's configuration can't take them, or where production
    /// has another value of what the app reads only once.
    /// </summary>
    public static void Reload(AppHost host, IReadOnlyCollection<string> arguments)
    {
        if (host.Services is null && arguments.Count > 0)
        {
            throw new RestoreException("the app has no host that could take further arguments");
        }

        if (s_roots.Count > 0)
        {
            ReloadRoots(arguments);
        }
    }

    /// <summary>All of them, the one of the host that was built last first. Only to be called where there are some.</summary>
    public static IEnumerable<IConfigurationRoot> Roots() => s_roots.Cast<IConfigurationRoot>();

    /// <summary>Whether there is any to reload.</summary>
    public static bool Any => s_roots.Count > 0;

    private static bool IsUsed() => Array.Exists(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == "Microsoft.Extensions.Configuration");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FindRoots(AppHost host)
    {
        if (host.Services is not null && host.Find<IConfiguration>() is not IConfigurationRoot)
        {
            throw new RestoreException("the app's IConfiguration can't be reloaded");
        }

        List<IConfigurationRoot> all = [.. host.FindAll<IConfiguration>().OfType<IConfigurationRoot>()];
        if (host.Find<IConfiguration>() is IConfigurationRoot main)
        {
            all.Insert(0, main);
        }

        s_roots = [.. all.Concat(ObjectGraph.Find<IConfigurationRoot>(host)).Distinct(ReferenceEqualityComparer.Instance).OfType<object>()];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReloadRoots(IReadOnlyCollection<string> arguments)
    {
        if (arguments.Count > 0)
        {
            Add(arguments, Roots().First());
        }

        HashSet<object> loaded = new(ReferenceEqualityComparer.Instance);
        foreach (IConfigurationRoot root in Roots())
        {
            Load(root, loaded);
        }
    }

    private static void Load(IConfigurationRoot configuration, HashSet<object> loaded)
    {
        // One may be part of several others.
        if (!loaded.Add(configuration))
        {
            return;
        }

        if (configuration.GetType().GetMethod("RaiseChanged", BindingFlags.Instance | BindingFlags.NonPublic, Type.EmptyTypes) is not { } raiseChanged)
        {
            configuration.Reload();
            return;
        }

        // What Reload() does, but for files that are as they were: each would tell all listeners once more.
        foreach (IConfigurationProvider provider in configuration.Providers)
        {
            if (provider is ChainedConfigurationProvider { Configuration: IConfigurationRoot chained })
            {
                Load(chained, loaded);
            }
            else if (provider is StreamConfigurationProvider)
            {
                // A stream can be read once.
            }
            else if (!s_files.TryGetValue(provider, out (string? Path, DateTime Modified) noted) || noted != StateOf(noted.Path))
            {
                KeyFolders.Complete(provider);
                provider.Load();
            }
        }

        raiseChanged.Invoke(configuration, null);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void NoteRoots()
    {
        s_files.Clear();
        KeyFolders.Note(Roots().SelectMany(root => root.Providers));
        foreach (FileConfigurationProvider file in Roots().SelectMany(root => root.Providers).OfType<FileConfigurationProvider>())
        {
            IFileInfo? info = file.Source.Path is { } path ? file.Source.FileProvider?.GetFileInfo(path) : null;
            if (info?.PhysicalPath is { } physical && IsFrameworks(file))
            {
                s_files[file] = StateOf(physical);
            }
        }
    }

    /// <summary>Another's provider may make more of its file than what stands in it.</summary>
    private static bool IsFrameworks(IConfigurationProvider provider) =>
        provider.GetType().Assembly.GetName().Name!.StartsWith("Microsoft.Extensions.Configuration.", StringComparison.Ordinal);

    /// <summary>A file that is not there has a time, too: the year 1601.</summary>
    private static (string? Path, DateTime Modified) StateOf(string? path) => (path, path is null ? default : File.GetLastWriteTimeUtc(path));

    private static void Add(IReadOnlyCollection<string> arguments, IConfigurationRoot configuration)
    {
        PropertyInfo args = typeof(CommandLineConfigurationProvider).GetProperty("Args", BindingFlags.Instance | BindingFlags.NonPublic)!;
        if (configuration.Providers.OfType<CommandLineConfigurationProvider>().LastOrDefault() is { } provider && args.CanWrite)
        {
            args.SetValue(provider, ((IEnumerable<string>)args.GetValue(provider)!).Concat(arguments).ToArray());
        }
        else if (configuration is IConfigurationBuilder builder)
        {
            builder.Add(new CommandLineConfigurationSource { Args = arguments });
        }
        else
        {
            throw new RestoreException("the app's configuration takes no further arguments");
        }
    }
}
