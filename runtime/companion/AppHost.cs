using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Hosting;

namespace DotnetSnapshot.Companion;

/// <summary>
/// The app's generic host, met without the app's help: every host announces itself to the diagnostic listener
/// "Microsoft.Extensions.Hosting" while and after it is built.
/// </summary>
internal sealed class AppHost : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    private readonly List<IServiceProvider> _all = [];

    /// <summary>Services of the host that was built last; null for apps without a host.</summary>
    public IServiceProvider? Services => _all.Count == 0 ? null : _all[^1];

    /// <summary>Services of all hosts, the one that was built last first.</summary>
    public IEnumerable<IServiceProvider> All => _all.AsEnumerable().Reverse();

    public AppHost() => DiagnosticListener.AllListeners.Subscribe(this);

    /// <summary>True where the app has the ASP.NET Core framework, with a server or without.</summary>
    public bool HasWeb { get; private set; }

    /// <summary>True where the app's requests pass the gate.</summary>
    public bool HasGate { get; private set; }

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == "Microsoft.Extensions.Hosting")
        {
            value.Subscribe(this);
        }
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        try
        {
            if (value.Key == "HostBuilding")
            {
                Extend(value.Value!);
            }
            else if (value.Key == "HostBuilt")
            {
                Remember(value.Value!);
            }
        }
        catch (Exception error) when (error is FileLoadException or FileNotFoundException or TypeLoadException)
        {
            // A host of before .NET 8: it is treated like an app that has none.
        }
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    /// <summary>The service of a type, or null where the app has none or can't make it.</summary>
    public T? Find<T>()
        where T : class => Find(typeof(T)) as T;

    /// <summary>As <see cref="Find{T}"/>, for a type that can't be named here.</summary>
    public object? Find(Type type) => Services is null ? null : Find(Services, type);

    /// <summary>The services of a type, of all hosts.</summary>
    public IEnumerable<T> FindAll<T>()
        where T : class => All.SelectMany(services => Find(services, typeof(IEnumerable<T>)) as IEnumerable<T> ?? []).Distinct();

    private static object? Find(IServiceProvider services, Type type)
    {
        try
        {
            return services.GetService(type);
        }
#pragma warning disable CA1031 // A service that the app never asked for may not be possible to make; it is then not in use.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    // Not inlined, so that a type that is missing fails inside of the caller's try.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Extend(object builder)
    {
        if (HasWebFramework())
        {
            HasWeb = true;
            ((IHostBuilder)builder).ConfigureServices((_, services) => HasGate |= WebServices.AddTo(services));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Remember(object host) => _all.Add(((IHost)host).Services);

    private static bool HasWebFramework()
    {
        try
        {
            return Assembly.Load("Microsoft.AspNetCore.Hosting.Abstractions") is not null;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }
}
