using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace DotnetSnapshot.Companion;

/// <summary>Settings of the configuration that are read once: by the server, by drivers of databases, and by the app's start.</summary>
internal static class StartSettings
{
    private static readonly string[] s_ofServer = ["Urls", "Http_Ports", "Https_Ports", "Kestrel:"];

    private static readonly Dictionary<string, byte[]> s_files = [];
    private static List<Dictionary<string, string>> s_noted = [];

    /// <summary>Notes them as they are at the checkpoint, with the content of files that the server's name.</summary>
    public static void Note(bool hasWeb)
    {
        if (AppConfiguration.Any)
        {
            s_noted = Read(hasWeb);
            s_files.Clear();
            foreach (string path in s_noted.SelectMany(settings => settings).Where(setting => IsOfServer(setting.Key)).Select(setting => setting.Value))
            {
                s_files[path] = ContentOf(path);
            }
        }
    }

    /// <summary>
    /// After the configuration was reloaded: throws <see cref="RestoreException"/> with the name of one that is not what it was,
    /// but for keys in `followed`.
    /// </summary>
    public static void Check(bool hasWeb, HashSet<string> followed)
    {
        if (!AppConfiguration.Any)
        {
            return;
        }

        foreach ((Dictionary<string, string> before, Dictionary<string, string> now) in s_noted.Zip(Read(hasWeb)))
        {
            foreach (string key in before.Keys.Union(now.Keys, StringComparer.OrdinalIgnoreCase))
            {
                (string? was, string? isNow) = (before.GetValueOrDefault(key), now.GetValueOrDefault(key));
                if (!StartOnly.IsSame(key, was, isNow) && !followed.Contains(key) && !MayDiffer.Allows(key, was, isNow))
                {
                    throw new RestoreException($"{key} of the configuration differs from the build, and is read only when the app starts");
                }
            }
        }

        foreach ((string path, byte[] content) in s_files)
        {
            if (!content.AsSpan().SequenceEqual(ContentOf(path)) && !MayDiffer.Allows(path))
            {
                throw new RestoreException($"the file {path} differs from the build, and the server reads it only when it starts");
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<Dictionary<string, string>> Read(bool hasWeb)
    {
        List<Dictionary<string, string>> all = [];
        foreach (IConfigurationRoot root in AppConfiguration.Roots())
        {
            Dictionary<string, string> settings = new(StringComparer.OrdinalIgnoreCase);
            foreach ((string key, string? value) in root.AsEnumerable())
            {
                if (value is not null && ((hasWeb && IsOfServer(key)) || key.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase) || StartReads.HasKey(key)))
                {
                    settings[key] = value;
                }
            }

            all.Add(settings);
        }

        return all;
    }

    private static bool IsOfServer(string key) =>
        Array.Exists(s_ofServer, known => known[^1] == ':' ? key.StartsWith(known, StringComparison.OrdinalIgnoreCase) : key.Equals(known, StringComparison.OrdinalIgnoreCase));

    /// <summary>The digest of a file's content; nothing for what is no file, or can't be read.</summary>
    private static byte[] ContentOf(string path)
    {
        try
        {
            return File.Exists(path) ? SHA256.HashData(File.ReadAllBytes(path)) : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
