using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Spans, measurements and log records of the warmup that OpenTelemetry's exporters have not sent yet: each clone would send
/// them, to production.
/// </summary>
internal static class Telemetry
{
    /// <summary>The abstract type of a provider, and that of its extension ForceFlush(provider, milliseconds).</summary>
    private static readonly (string Provider, string Extensions)[] s_kinds =
    [
        ("OpenTelemetry.Trace.TracerProvider", "OpenTelemetry.Trace.TracerProviderExtensions"),
        ("OpenTelemetry.Metrics.MeterProvider", "OpenTelemetry.Metrics.MeterProviderExtensions"),
        ("OpenTelemetry.Logs.LoggerProvider", "OpenTelemetry.Logs.LoggerProviderExtensions"),
    ];

    public static bool IsProvider(Type type) => ExtensionsOf(type) is not null || IsBuffer(type);

    /// <summary>
    /// Has the providers among `objects` export what they hold. Where nothing answers, an exporter drops it. Returns what is
    /// still there after `deadline`, for people.
    /// </summary>
    public static List<string> Flush(IReadOnlyCollection<object> objects, TimeSpan deadline)
    {
        Task[] flushes = [.. objects.Where(item => ExtensionsOf(item.GetType()) is not null).Select(provider => Task.Run(() => Flush(provider, deadline)))];
        _ = Task.WaitAll(flushes, deadline);
        return [.. objects.Where(item => IsBuffer(item.GetType())).SelectMany(Held)];
    }

    private static void Flush(object provider, TimeSpan deadline)
    {
        try
        {
            Type? extensions = Loaded.Find("OpenTelemetry", ExtensionsOf(provider.GetType())!);
            _ = extensions?.GetMethod("ForceFlush")?.Invoke(null, [provider, (int)deadline.TotalMilliseconds]);
        }
#pragma warning disable CA1031 // An exporter's failure is no failure of the checkpoint.
        catch (Exception)
#pragma warning restore CA1031
        {
            // An exporter of the app's own that throws; what it leaves is seen in its buffer.
        }
    }

    private static string? ExtensionsOf(Type type)
    {
        for (Type? level = type; level is not null; level = level.BaseType)
        {
            foreach ((string provider, string extensions) in s_kinds)
            {
                if (level.FullName == provider)
                {
                    return extensions;
                }
            }
        }

        return null;
    }

    private static bool IsBuffer(Type type) =>
        type.IsGenericType && type.Name == "CircularBuffer`1" && type.Assembly.GetName().Name?.StartsWith("OpenTelemetry", StringComparison.Ordinal) == true;

    private static IEnumerable<string> Held(object buffer)
    {
        int count = buffer.GetType().GetProperty("Count", BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)?.GetValue(buffer) as int? ?? 0;
        return count == 0 ? [] : [$"{count} of {buffer.GetType().GetGenericArguments()[0].Name} in a buffer of OpenTelemetry"];
    }
}
