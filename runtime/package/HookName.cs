using System;
using System.Reflection;

namespace DotnetSnapshot;

/// <summary>Names of hooks for people: where the hook was written, without what the compiler makes of it.</summary>
internal static class HookName
{
    /// <summary><c>Shop.Cache.Drop</c>; a local function is <c>Shop.Program.Main.Drop</c>, a lambda <c>Shop.Program.Main (lambda)</c>.</summary>
    public static string Of(Delegate hook)
    {
        string method = Readable(hook.Method);
        Type? type = hook.Method.DeclaringType;
        while (type?.DeclaringType is { } outer && type.Name.StartsWith('<'))
        {
            // The compiler's class for what a lambda captures.
            type = outer;
        }

        return type is null ? method : $"{NameOf(type)}.{method}";
    }

    private static string Readable(MethodInfo method)
    {
        string name = method.Name;
        int end = name.LastIndexOf('>');
        if (!name.StartsWith('<') || end < 0)
        {
            return name;
        }

        // <Main>b__0_1 is a lambda in Main, <Main>g__Drop|0_1 the local function Drop; <Main>$ holds top-level statements.
        string written = name[1..end].Replace("<Main>$", "Main", StringComparison.Ordinal);
        string[] rest = name[(end + 1)..].Split("__", 2);
        return rest is ["g", { } local] ? $"{written}.{local.Split('|')[0]}" : $"{written} (lambda)";
    }

    private static string NameOf(Type type)
    {
        string name = type.Name.Split('`')[0];
        return type.DeclaringType is { } outer ? $"{NameOf(outer)}.{name}"
            : string.IsNullOrEmpty(type.Namespace) ? name
            : $"{type.Namespace}.{name}";
    }
}
