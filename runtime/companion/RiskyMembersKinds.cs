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
        "System.Security.Cryptography.AsymmetricAlgorithm" or "System.Security.Cryptography.RSA" or "System.Security.Cryptography.RSACryptoServiceProvider"
            or "System.Security.Cryptography.RSAOpenSsl" or "System.Security.Cryptography.ECDsa" or "System.Security.Cryptography.ECDsaOpenSsl"
            or "System.Security.Cryptography.ECDiffieHellman" or "System.Security.Cryptography.ECDiffieHellmanOpenSsl" or "System.Security.Cryptography.DSA"
            or "System.Security.Cryptography.X509Certificates.X509Certificate2" or "Microsoft.IdentityModel.Tokens.SigningCredentials"
            or "Microsoft.IdentityModel.Tokens.RsaSecurityKey" or "Microsoft.IdentityModel.Tokens.ECDsaSecurityKey"
            or "Microsoft.IdentityModel.Tokens.X509SecurityKey" => "key-pair",
        "System.DateTime" or "System.DateTimeOffset" => "moment",
        "System.Net.Http.HttpClient" => "http-client",
        "System.Threading.Timer" or "System.Threading.PeriodicTimer" or "System.Threading.ITimer" or "System.Timers.Timer" => Timer,
        "System.String" or "System.Int32" or "System.Int64" or "System.UInt32" or "System.UInt64" or "System.Int16" or "System.UInt16" or "System.Byte" when IsIdentity(name) => "identity",
        _ => null,
    };

    /// <summary>Of code that is not the app's, other kinds are too often meant as they are.</summary>
    public static bool IsOfIdentity(string kind) => kind is "random" or "identity";

    /// <summary>
    /// As it stands in the source: the name of an auto-property (`&lt;Id&gt;k__BackingField`), of a parameter of a primary
    /// constructor (`&lt;timer&gt;P`), of an F# value (`random@12`, `Key@`).
    /// </summary>
    public static string MemberName(string field) => Regex.Replace(field, "^<([^>]+)>.*$|@[0-9]*$", "$1");

    /// <summary>Without the number of type parameters, the prefix of a file-local type, and what F# wraps a module's values in.</summary>
    public static string TypeName(string type) => Regex.Replace(type, @"`[0-9]+|<[^>]*>F[0-9A-F]{64}__|^<StartupCode\$[^>]*>\.\$?", "");

    /// <summary>s_workerId, staticMachine, HostName, NODE_ID, but not instance or nodeCount.</summary>
    private static bool IsIdentity(string name) => Regex.IsMatch(name.Replace("_", "", StringComparison.Ordinal), "^[smt]?(static)?(worker|machine|(worker|machine|node|instance|server|host|datacenter)(id|name|number|hash))$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    /// <summary>By a word of the name: s_hmacKey, TOKEN_SEED, apikey, but not native or derived.</summary>
    private static bool IsKeyMaterial(string name) => Regex.Matches(name, "[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
        .Any(word => Regex.IsMatch(word.Value, "^ivs?$|keys?$|secret|salt|nonce|token|seed", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant));
}
