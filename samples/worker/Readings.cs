using System.ComponentModel.DataAnnotations;

namespace Worker;

/// <summary>One measured value of one sensor, as it is posted.</summary>
public sealed record Reading(
    [Required, RegularExpression("^[a-z][a-z0-9-]{0,39}$", ErrorMessage = "A sensor name is lower-case letters, digits and dashes.")] string? Sensor,
    [Required, Range(-1e9, 1e9)] double? Value);

public sealed record ReadingBatch([Required, MinLength(1), MaxLength(1000)] IReadOnlyList<Reading>? Readings);

/// <summary>The receipt for posted readings: they are in the aggregates once this tick is done.</summary>
public sealed record Accepted(int Count, long Tick);

/// <summary>What is known of one sensor so far.</summary>
public sealed record Aggregate(string Sensor, long Count, double Min, double Max, double Mean, double Deviation, double Last);

public sealed record Status(long Ticks, DateTimeOffset? LastTick, int Waiting, IReadOnlyList<Aggregate> Aggregates);

public sealed class RollupOptions
{
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")] public TimeSpan Period { get; set; } = TimeSpan.FromMilliseconds(200);
    [Range(1, 1_000_000)] public int QueueCapacity { get; set; } = 10_000;
}
