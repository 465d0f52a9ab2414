using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>Builders and arrays that the framework keeps for each thread, with the last text that was put together in them.</summary>
internal static class ThreadCaches
{
    /// <summary>Type and static field, null of which makes the thread begin anew. Several assemblies have one of the first.</summary>
    private static readonly (string Assembly, string Type, string Field)[] s_known =
    [
        ("System.", "System.Text.StringBuilderCache", "t_cachedInstance"),
        ("System.Net.Http", "System.Net.Http.HttpConnection", "t_headerValues"),
        ("System.Net.Http", "System.Net.Http.Http2Connection", "t_headerValues"),
        ("Microsoft.Extensions.Logging.Console", "Microsoft.Extensions.Logging.Console.ConsoleLogger", "t_stringWriter"),
    ];

    /// <summary>Drops those of the pool's threads and of this one. False where not even the framework's first is known.</summary>
    public static bool Drop()
    {
        List<FieldInfo> caches = [.. AppDomain.CurrentDomain.GetAssemblies().SelectMany(CachesOf)];
        PoolThreads.OnEach(DropOwn, PoolThreads.Long)();
        DropOwn();
        return caches.Exists(cache => cache.DeclaringType!.Assembly == typeof(object).Assembly);

        void DropOwn() => caches.ForEach(cache => cache.SetValue(null, null));
    }

    private static IEnumerable<FieldInfo> CachesOf(Assembly assembly) =>
        from known in s_known
        where assembly.GetName().Name!.StartsWith(known.Assembly, StringComparison.Ordinal)
        let field = assembly.GetType(known.Type)?.GetField(known.Field, BindingFlags.Static | BindingFlags.NonPublic)
        where field is not null && field.IsDefined(typeof(ThreadStaticAttribute))
        select field;
}
