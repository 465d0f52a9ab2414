using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Clones;

/// <summary>Values that no two clones may have in common.</summary>
internal static class Values
{
    /// <summary>What an app should not do: a generator whose state every clone has.</summary>
    private static readonly Random Shared = new();

    public static Dictionary<string, string> Make(IDataProtectionProvider protection, HttpContext context)
    {
        if (Environment.GetEnvironmentVariable("SHARED") is not null)
        {
            context.Response.Cookies.Append("visit", $"{Shared.NextInt64():x16}{Shared.NextInt64():x16}");
        }

        return new()
        {
            ["RandomNumberGenerator"] = Convert.ToHexString(RandomNumberGenerator.GetBytes(16)),
            ["Random.Shared"] = $"{Random.Shared.NextInt64():x}{Random.Shared.NextInt64():x}",
            ["Guid"] = Guid.NewGuid().ToString(),
            ["ActivityTraceId"] = ActivityTraceId.CreateRandom().ToHexString(),
            ["data protection"] = protection.CreateProtector("clones").Protect("the same"),
        };
    }
}
