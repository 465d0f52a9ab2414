using System;
using System.Runtime.CompilerServices;

namespace DotnetSnapshot.Companion;

/// <summary>What the app was warmed on: a restore elsewhere keeps these values of the build.</summary>
internal static class RuntimeDescription
{
    private static readonly string s_reserved = ReservedMemory.List();
    private static readonly string s_heap = ManagedHeap.Range();

    /// <summary>Before the app's own code runs: notes what the runtime has reserved until then.</summary>
    public static void Note() => RuntimeHelpers.RunClassConstructor(typeof(RuntimeDescription).TypeHandle);

    public static string Describe() =>
        $$"""{"version":"{{Environment.Version}}","processors":{{Environment.ProcessorCount}},"memoryLimitBytes":{{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes}},"serverGc":{{(System.Runtime.GCSettings.IsServerGC ? "true" : "false")}},"reservedMemory":"{{s_reserved}}","gcHeap":"{{s_heap}}","stringType":"{{ManagedHeap.StringType()}}"}""";
}
