using System.Collections.Generic;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace DotnetSnapshot;

/// <summary>
/// Names of what this package tells OpenTelemetry. The source's and the meter's are properties, not constants: naming
/// one makes the source and the meter, so that an app that was started normally reports its 0 as well.
/// </summary>
public static class SnapshotTelemetry
{
    /// <summary>The activity around the after-restore hooks.</summary>
    public const string RestoreActivityName = "restore";

    /// <summary>A gauge: 1 in a restored app, 0 in one that was started normally.</summary>
    public const string RestoredGaugeName = "dotnet_snapshot.restored";

    /// <summary>The tag of both with the snapshot's identifier; the gauge has it in a restored app only.</summary>
    public const string SnapshotIdTagName = "dotnet_snapshot.id";

    // Before the two that are named so: listeners are told of each as it is made, and they ask for its name.

    /// <summary>The activity source, for <c>AddSource</c>.</summary>
    public static string ActivitySourceName { get; } = "DotnetSnapshot";

    /// <summary>The meter, for <c>AddMeter</c>.</summary>
    public static string MeterName { get; } = "DotnetSnapshot";

    private static readonly ActivitySource s_source = new(ActivitySourceName, Version);
    private static readonly Meter s_meter = new(MeterName, Version);

    static SnapshotTelemetry() =>
        s_meter.CreateObservableGauge(RestoredGaugeName, Observe, description: "1 where the app was restored from a snapshot");

    private static string? Version => typeof(SnapshotTelemetry).Assembly.GetName().Version?.ToString(3);

    /// <summary>Null where nobody listens, and where nothing was restored.</summary>
    internal static Activity? StartRestore() =>
        s_source.HasListeners() && SnapshotInfo.Id is { } id
            ? s_source.StartActivity(RestoreActivityName)?.SetTag(SnapshotIdTagName, id)
            : null;

    private static Measurement<int> Observe() =>
        SnapshotInfo.Id is { } id ? new(1, new KeyValuePair<string, object?>(SnapshotIdTagName, id)) : new(0);
}
