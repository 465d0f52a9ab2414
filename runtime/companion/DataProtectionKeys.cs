using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
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

    /// <summary>By id, keys that were nowhere but in this process, and are forgotten, as <see cref="Describe"/> writes them.</summary>
    private static readonly Dictionary<string, string> s_forgotten = [];

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

    /// <summary>
    /// Forgets all keys, those that the app keeps elsewhere only in memory; the next use reads or makes them anew. Returns
    /// those, now and before, that were nowhere else: what they protect nobody can open any more. Each is
    /// `{"id":…,"forms":[{"start":…,"length":…,"sha256":…}]}`: by the forms, which say too little to open anything, the build sees
    /// that the snapshot does not hold the key. They are its bytes, and its text in both encodings.
    /// </summary>
    public static IEnumerable<string> Forget(AppHost host)
    {
        lock (s_all)
        {
            foreach (DataProtectionKeys keys in s_all)
            {
                lock (keys._inMemory)
                {
                    foreach (XElement key in keys._inMemory.Where(element => element.Name == "key"))
                    {
                        s_forgotten[(string?)key.Attribute("id") ?? ""] = Describe(key);
                    }

                    keys._inMemory.Clear();
                }
            }
        }

        ForgetIn(host.Find<IKeyRingProvider>());
        ForgetIn(host.Find<IKeyManager>());
        return s_forgotten.Values;
    }

    /// <summary>The provider keeps a ring, or the task that makes one; the manager, from .NET 10 on, all keys that it has read.</summary>
    private static void ForgetIn(object? owner)
    {
        foreach (FieldInfo field in owner?.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic) ?? [])
        {
            if (field.FieldType == typeof(CacheableKeyRing) || field.FieldType == typeof(Task<CacheableKeyRing>))
            {
                field.SetValue(owner, null);
            }
            else if (field.GetValue(owner) is IDictionary keys && field.FieldType.GenericTypeArguments is [{ } id, { } key]
                && id == typeof(Guid) && typeof(IKey).IsAssignableFrom(key))
            {
                keys.Clear();
            }
        }
    }

    private static string Describe(XElement key)
    {
        List<string> forms = [];
        foreach (XElement secret in key.Descendants("masterKey").Elements("value"))
        {
            foreach (byte[] form in new[] { Convert.FromBase64String(secret.Value), Encoding.UTF8.GetBytes(secret.Value), Encoding.Unicode.GetBytes(secret.Value) })
            {
                string start = Convert.ToHexString(form.AsSpan(0, Math.Min(8, form.Length)));
                forms.Add($$"""{"start":"{{start}}","length":{{form.Length}},"sha256":"{{Convert.ToHexString(SHA256.HashData(form)).ToLowerInvariant()}}"}""");
                CryptographicOperations.ZeroMemory(form);
            }
        }

        return $$"""{"id":{{Json.Text((string?)key.Attribute("id") ?? "")}},"forms":{{Json.List(forms)}}}""";
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
