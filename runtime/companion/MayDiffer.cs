using System;
using System.Data.Common;
using System.Linq;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Settings that may differ between build and production without a normal start: those that the user says (`may-differ`), and secrets
/// that fakes stood in for while the app was warmed, which the build's own clones were seen to follow.
/// </summary>
internal static class MayDiffer
{
    private static readonly string[] s_secretParts = ["password", "pwd", "accountkey", "sharedaccesskey", "sharedaccesssignature", "secret", "clientsecret", "user password"];

    private static string[] s_names = [];
    private static string[] s_secrets = [];

    /// <summary>Names of variables, keys of the configuration, or paths, one a line; a name that ends in * stands for all that begin so.</summary>
    public static void Take(string? lines) => s_names = LinesOf(lines);

    /// <summary>Names of variables whose secret the app did not have while it was warmed, or that is overwritten in the snapshot.</summary>
    public static void TakeSecrets(string? lines) => s_secrets = LinesOf(lines);

    /// <summary>A key may also be written as the variable that sets it: Section__Key.</summary>
    public static bool Allows(string name) => Array.Exists(s_names, known => Names(known, name));

    /// <summary>Whether two values may stand for each other: of a secret among connection settings only that part may differ.</summary>
    public static bool Allows(string name, string? before, string? now) =>
        Allows(name) || (before is not null && now is not null && Array.Exists(s_secrets, known => Names(known, name)) && WithoutSecrets(before) == WithoutSecrets(now));

    private static string[] LinesOf(string? lines) => lines?.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static bool Names(string known, string name) =>
        Matches(known, name) || Matches(known.Replace("__", ":", StringComparison.Ordinal), name);

    private static bool Matches(string known, string name) => known.EndsWith('*')
        ? name.StartsWith(known[..^1], StringComparison.OrdinalIgnoreCase)
        : known.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>What is left of a connection string or URL; nothing of what is a secret as a whole.</summary>
    private static string WithoutSecrets(string value)
    {
        if (Uri.TryCreate(value, UriKind.Absolute, out Uri? url) && url.Host.Length > 0)
        {
            return url.GetComponents(UriComponents.AbsoluteUri & ~UriComponents.UserInfo, UriFormat.SafeUnescaped);
        }

        try
        {
            DbConnectionStringBuilder settings = new() { ConnectionString = value };
            return string.Join(';', settings.Keys!.Cast<string>().Where(key => !s_secretParts.Contains(key)).Order(StringComparer.Ordinal).Select(key => $"{key}={settings[key]}"));
        }
        catch (ArgumentException)
        {
            return "";
        }
    }
}
