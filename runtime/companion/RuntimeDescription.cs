using System;

namespace DotnetSnapshot.Companion;

/// <summary>What the app was warmed on: a restore elsewhere keeps these values of the build.</summary>
internal static class RuntimeDescription
{
    public static string Describe() =>
        $$"""{"version":"{{Environment.Version}}","processors":{{Environment.ProcessorCount}},"memoryLimitBytes":{{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes}},"serverGc":{{(System.Runtime.GCSettings.IsServerGC ? "true" : "false")}}}""";
}
