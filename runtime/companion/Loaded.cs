using System;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>Types of assemblies that the app has loaded, by their names; what it has not is null.</summary>
internal static class Loaded
{
    private const BindingFlags Statics = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    public static Type? Find(string assembly, string type) =>
        Array.Find(AppDomain.CurrentDomain.GetAssemblies(), loaded => loaded.GetName().Name == assembly)?.GetType(type);

    /// <summary>The value of a static field or property; null where there is none of that name.</summary>
    public static object? Static(Type type, string member) =>
        type.GetField(member, Statics)?.GetValue(null) ?? type.GetProperty(member, Statics)?.GetValue(null);
}
