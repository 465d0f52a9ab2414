using System;
using System.Linq;
using System.Text.RegularExpressions;

namespace DotnetSnapshot.Companion;

/// <summary>Which fields are risky in a clone, and how their names are shown.</summary>
internal static class RiskyMembersKinds
{
    public const string Timer = "timer";

    /// <summary>The kind of a field, or null where it is none to tell of. Types are named as metadata names them.</summary>
    public static string? Of(string type, string name) => type switch
    {
        "System.Guid" => "guid",
        "System.Random" => "random",
        "System.Byte[]" when IsKeyMaterial(name) => "key",
        "System.DateTime" or "System.DateTimeOffset" => "moment",
        "System.Net.Http.HttpClient" => "http-client",
        "System.Threading.Timer" or "System.Threading.PeriodicTimer" or "System.Threading.ITimer" or "System.Timers.Timer" => Timer,
        _ => null,
    };

    /// <summary>
    /// As it stands in the source: the name of an auto-property (`&lt;Id&gt;k__BackingField`), of a parameter of a primary
    /// constructor (`&lt;timer&gt;P`), of an F# value (`random@12`, `Key@`).
    /// </summary>
    public static string MemberName(string field) => Regex.Replace(field, "^<([^>]+)>.*$|@[0-9]*$", "$1");

    /// <summary>Without the number of type parameters, the prefix of a file-local type, and what F# wraps a module's values in.</summary>
    public static string TypeName(string type) => Regex.Replace(type, @"`[0-9]+|<[^>]*>F[0-9A-F]{64}__|^<StartupCode\$[^>]*>\.\$?", "");

    /// <summary>By a word of the name: s_hmacKey, TOKEN_SEED, apikey, but not native or derived.</summary>
    private static bool IsKeyMaterial(string name) => Regex.Matches(name, "[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
        .Any(word => Regex.IsMatch(word.Value, "^ivs?$|keys?$|secret|salt|nonce|token|seed", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant));
}
