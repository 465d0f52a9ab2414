using System;

namespace DotnetSnapshot;

/// <summary>That this process was restored: from which snapshot, and when.</summary>
internal sealed record Restoration(string SnapshotId, DateTimeOffset At);
