using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Clones;

/// <summary>Values that no two clones may have in common.</summary>
internal static class Values
{
    public static Dictionary<string, string> Make(IDataProtectionProvider protection) => new()
    {
        ["RandomNumberGenerator"] = Convert.ToHexString(RandomNumberGenerator.GetBytes(16)),
        ["Random.Shared"] = $"{Random.Shared.NextInt64():x}{Random.Shared.NextInt64():x}",
        ["Guid"] = Guid.NewGuid().ToString(),
        ["ActivityTraceId"] = ActivityTraceId.CreateRandom().ToHexString(),
        ["data protection"] = protection.CreateProtector("clones").Protect("the same"),
    };
}
