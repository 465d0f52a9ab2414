using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Threading;

namespace DotnetSnapshot.Companion;

/// <summary>How much the JIT has compiled so far; flat numbers mean that it is quiet.</summary>
internal static class JitActivity
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    public static string Describe() =>
        $$"""{"methods":{{JitInfo.GetCompiledMethodCount()}},"ilBytes":{{JitInfo.GetCompiledILBytes()}}}""";

    /// <summary>
    /// Compiles what of these assemblies has not run yet: the restore's last steps and the first request after it can't be
    /// rehearsed, and the JIT has no pages in memory then.
    /// </summary>
    public static void Compile(params Assembly[] assemblies)
    {
        const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        foreach (Type type in assemblies.SelectMany(TypesOf))
        {
            if (typeof(Delegate).IsAssignableFrom(type))
            {
                continue;
            }

            try
            {
                foreach (MethodBase method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)))
                {
                    if (!method.IsAbstract && !method.ContainsGenericParameters && (method.Attributes & MethodAttributes.PinvokeImpl) == 0)
                    {
                        RuntimeHelpers.PrepareMethod(method.MethodHandle);
                    }
                }
            }
            catch (Exception error) when (error is IOException or TypeLoadException or BadImageFormatException or NotSupportedException)
            {
                // Of a framework that the app does not have: that code will not run either.
            }
        }
    }

    private static IEnumerable<Type> TypesOf(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException partly)
        {
            return partly.Types.OfType<Type>();
        }
    }

    /// <summary>
    /// Waits until nothing was compiled for a moment. What waits to be compiled at the checkpoint is compiled in each
    /// restored start, when it has better to do. Returns false where it did not come to rest.
    /// </summary>
    public static bool WaitUntilQuiet()
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < s_patience)
        {
            long before = JitInfo.GetCompiledMethodCount();
            Thread.Sleep(s_quiet);
            if (JitInfo.GetCompiledMethodCount() == before)
            {
                return true;
            }
        }

        return false;
    }
}
