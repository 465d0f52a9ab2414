using System;
using System.Diagnostics.CodeAnalysis;

namespace DotnetSnapshot;

/// <summary>What this process is. It can change once, from being warmed to restored. Safe to read from any thread.</summary>
public static class SnapshotInfo
{
    private static volatile bool s_checkpointable;
    private static volatile Restoration? s_restoration;

    /// <summary>True in an app that was restored from a snapshot, from before its after-restore hooks on.</summary>
    [MemberNotNullWhen(true, nameof(Id), nameof(RestoredAt))]
    public static bool IsRestored => s_restoration is not null;

    /// <summary>The snapshot's identifier, as in its manifest and the launcher's log line; null in an app that was not restored.</summary>
    public static string? Id => s_restoration?.SnapshotId;

    /// <summary>When this process was restored; null in an app that was not.</summary>
    public static DateTimeOffset? RestoredAt => s_restoration?.At;

    /// <summary>True in an app that is being warmed for its checkpoint.</summary>
    public static bool IsCheckpointing => s_checkpointable && s_restoration is null;

    internal static void MarkCheckpointable() => s_checkpointable = true;

    internal static void MarkRestored(Restoration restoration) => s_restoration = restoration;
}
