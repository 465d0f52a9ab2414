using System;
using System.Collections.Generic;
using System.Reflection.Metadata;

namespace DotnetSnapshot.Companion;

/// <summary>Keys of the configuration that a method reads at once: by the indexer, GetValue, GetConnectionString, Get and Bind.</summary>
internal static class StartReadsKeys
{
    private const string Namespace = "Microsoft.Extensions.Configuration.";

    /// <summary>How far before a call what it is called on is looked for.</summary>
    private const int MostSteps = 6;

    /// <summary>Keys; a section as a whole ends with a colon.</summary>
    public static IEnumerable<string> In(MethodBody body, Methods methods)
    {
        foreach (int at in body.CallsBeforeTheEnd(methods, name => name.StartsWith(Namespace, StringComparison.Ordinal)))
        {
            Method called = methods.Of(body.Instructions[at].Token);
            switch (called.Name[(called.Name.LastIndexOf('.') + 1)..])
            {
                case "get_Item" or "GetValue" when Constant(body, at, methods) is { } key:
                    yield return SectionBefore(body, key.At, methods) + key.Text;
                    break;
                case "GetConnectionString" when Constant(body, at, methods) is { } name:
                    yield return $"ConnectionStrings:{name.Text}";
                    break;
                case "Get" or "Bind" or "get_Value" when SectionBefore(body, at, methods) is { Length: > 0 } section:
                    yield return section;
                    break;
            }
        }
    }

    private static (int At, string Text)? Constant(MethodBody body, int call, Methods methods)
    {
        for (int at = call - 1; at >= 0 && call - at <= MostSteps && !MethodBody.IsCall(body.Instructions[at].Code); at--)
        {
            if (body.Instructions[at].Code == ILOpCode.Ldstr)
            {
                return (at, MethodBody.TextOf(body.Instructions[at], methods));
            }
        }

        return null;
    }

    /// <summary>The section that is asked, as `NAME:`; empty where it is the configuration itself, or not told by a constant.</summary>
    private static string SectionBefore(MethodBody body, int before, Methods methods)
    {
        for (int at = before - 1; at >= 0 && before - at <= MostSteps; at--)
        {
            if (MethodBody.IsCall(body.Instructions[at].Code))
            {
                string name = methods.Of(body.Instructions[at].Token).Name;
                bool isSection = name.StartsWith(Namespace, StringComparison.Ordinal)
                    && (name.EndsWith(".GetSection", StringComparison.Ordinal) || name.EndsWith(".GetRequiredSection", StringComparison.Ordinal));
                return isSection && Constant(body, at, methods) is { } section ? $"{SectionBefore(body, section.At, methods)}{section.Text}:" : "";
            }
        }

        return "";
    }
}
