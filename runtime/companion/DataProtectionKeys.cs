using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Data protection (cookies, antiforgery) of an app that does not say where its keys are kept. Keys made while it is
/// warmed stay in memory and are forgotten before the checkpoint, else every clone would share them and everyone who
/// can read the image would have them. After the restore keys are kept where the framework keeps them.
/// </summary>
internal sealed class DataProtectionKeys(ILoggerFactory loggers) : IPostConfigureOptions<KeyManagementOptions>, IXmlRepository
{
    private static readonly List<DataProtectionKeys> s_all = [];

    private static volatile bool s_restored;

    private readonly List<XElement> _inMemory = [];
    private FileSystemXmlRepository? _permanent;
    private bool _noHome;

    public void PostConfigure(string? name, KeyManagementOptions options)
    {
        if (options.XmlRepository is null && options.XmlEncryptor is null)
        {
            options.XmlRepository = this;
            lock (s_all)
            {
                s_all.Add(this);
            }
        }
    }

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        lock (_inMemory)
        {
            return Permanent()?.GetAllElements() ?? _inMemory.Select(element => new XElement(element)).ToList();
        }
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        lock (_inMemory)
        {
            if (Permanent() is { } permanent)
            {
                permanent.StoreElement(element, friendlyName);
            }
            else
            {
                _inMemory.Add(new XElement(element));
            }
        }
    }

    /// <summary>Forgets all keys, those that the app keeps elsewhere only in memory; the next use reads or makes them anew.</summary>
    public static void Forget(AppHost host)
    {
        lock (s_all)
        {
            s_all.ForEach(keys => keys._inMemory.Clear());
        }

        if (host.Find<IKeyRingProvider>() is { } provider)
        {
            foreach (FieldInfo field in provider.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic))
            {
                if (field.FieldType == typeof(CacheableKeyRing) || field.FieldType == typeof(Task<CacheableKeyRing>))
                {
                    field.SetValue(provider, null);
                }
            }
        }
    }

    /// <summary>From now on keys are kept as without a snapshot: in the user's home where it can be written, else in memory.</summary>
    public static void KeepWhereTheFrameworkDoes() => s_restored = true;

    private FileSystemXmlRepository? Permanent()
    {
        if (_permanent is not null || !s_restored || _noHome)
        {
            return _permanent;
        }

        try
        {
            if (Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home)
            {
                _permanent = new FileSystemXmlRepository(Directory.CreateDirectory(Path.Combine(home, ".aspnet", "DataProtection-Keys")), loggers);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // As without a snapshot: the keys live as long as the container.
        }

        _noHome = _permanent is null;
        return _permanent;
    }
}
