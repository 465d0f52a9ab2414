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

/// <summary>The app's IConfiguration, which IOptionsMonitor follows.</summary>
internal static class AppConfiguration
{
    private static readonly Dictionary<object, (string? Path, DateTime Modified)> s_files = [];

    /// <summary>Notes the files of configuration as they are at the checkpoint.</summary>
    public static void Note(AppHost host)
    {
        if (host.Services is not null)
        {
            NoteOfHost(host);
        }
    }

    /// <summary>
    /// Reads every source anew: environment, command line, and files, secrets among them. `arguments` are further ones than the app
    /// was started with. Throws <see cref="RestoreException"/> where the app's configuration can't take them.
    /// </summary>
    public static void Reload(AppHost host, IReadOnlyCollection<string> arguments)
    {
        if (host.Services is not null)
        {
            ReloadOfHost(host, arguments);
        }
        else if (arguments.Count > 0)
        {
            throw new RestoreException("the app has no host that could take further arguments");
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReloadOfHost(AppHost host, IReadOnlyCollection<string> arguments)
    {
        if (host.Find<IConfiguration>() is not IConfigurationRoot configuration)
        {
            throw new RestoreException("the app's IConfiguration can't be reloaded");
        }

        if (arguments.Count > 0)
        {
            Add(arguments, configuration);
        }

        Load(configuration);
    }

    private static void Load(IConfigurationRoot configuration)
    {
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
                Load(chained);
            }
            else if (provider is StreamConfigurationProvider)
            {
                // A stream can be read once.
            }
            else if (!s_files.TryGetValue(provider, out (string? Path, DateTime Modified) noted) || noted != StateOf(noted.Path))
            {
                provider.Load();
            }
        }

        raiseChanged.Invoke(configuration, null);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void NoteOfHost(AppHost host)
    {
        s_files.Clear();
        foreach (FileConfigurationProvider file in (host.Find<IConfiguration>() as IConfigurationRoot)?.Providers.OfType<FileConfigurationProvider>() ?? [])
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
