using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;

namespace DotnetSnapshot.Companion;

/// <summary>
/// The launcher's line after a restore: `restored SNAPSHOT e:NAME=VALUE… a:ARGUMENT…`, words separated by spaces,
/// with spaces, line breaks and percent signs of the words written as %XX.
/// </summary>
internal sealed record Line(string Snapshot, IReadOnlyDictionary<string, string> Environment, IReadOnlyCollection<string> Arguments)
{
    public static Line Parse(string text)
    {
        string[] words = text.Split(' ');
        Dictionary<string, string> environment = [];
        List<string> arguments = [];
        foreach (string word in words.AsSpan(2))
        {
            string value = Uri.UnescapeDataString(word[2..]);
            if (word[0] == 'a')
            {
                arguments.Add(value);
            }
            else if (value.IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
            {
                environment[value[..at]] = value[(at + 1)..];
            }
        }

        return new Line(words[1], environment, arguments);
    }

    /// <summary>The line of a restore into an environment.</summary>
    public static Line Of(IDictionary environment)
    {
        IEnumerable<string> entries = environment.Cast<DictionaryEntry>().Select(entry => $"e:{Uri.EscapeDataString($"{entry.Key}={entry.Value}")}");
        return Parse($"{Restoration.Verb} none {string.Join(' ', entries)}");
    }
}
