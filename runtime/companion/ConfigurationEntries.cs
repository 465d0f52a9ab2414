using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace DotnetSnapshot.Companion;

/// <summary>The app's configuration as the app sees it, so that the scan knows which of its values are secrets.</summary>
internal static class ConfigurationEntries
{
    /// <summary>First word of the request; the second is the number of the entry to begin with.</summary>
    public const string Verb = "configuration";

    /// <summary>Shorter values would be found by chance, longer ones are none that an answer could hold: characters.</summary>
    private const int Shortest = 8, Longest = 8192;

    /// <summary>Of an answer, in bytes; the launcher takes lines of 64 KiB.</summary>
    private const int Room = 60_000;

    /// <summary>As many entries as an answer holds, and where the next begins; `next` is null at the end.</summary>
    public static string Describe(AppHost host, string request)
    {
        int from = int.Parse(request.AsSpan(Verb.Length), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
        List<KeyValuePair<string, string?>> entries = host.Services is null ? [] : EntriesOf(host);
        List<string> items = [];
        int at = from;
        for (int room = Room; at < entries.Count; at++)
        {
            string item = $$"""{"key":{{Json.Text(entries[at].Key)}},"value":{{Json.Text(entries[at].Value!)}}}""";
            room -= Encoding.UTF8.GetByteCount(item) + 1;
            if (room < 0)
            {
                break;
            }

            items.Add(item);
        }

        return $$"""{"entries":{{Json.List(items)}},"next":{{(at < entries.Count ? at.ToString(CultureInfo.InvariantCulture) : "null")}}}""";
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<KeyValuePair<string, string?>> EntriesOf(AppHost host) =>
    [
        .. (host.Find<IConfiguration>()?.AsEnumerable() ?? [])
            .Where(entry => entry.Value?.Length is >= Shortest and <= Longest && entry.Key.Length <= 512)
            .OrderBy(entry => entry.Key, StringComparer.Ordinal),
    ];
}
