using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Channels;

namespace DotnetSnapshot.Companion;

/// <summary>Channels of the app with items that nobody has taken yet: each clone would take them.</summary>
internal static class WaitingItems
{
    /// <summary>How long those who read the channels may take, beside the moment in which requests end.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    public static bool IsChannel(Type type) => ItemOf(type) is { } item && !IsOfFramework(item);

    /// <summary>What still waits after a while, for people.</summary>
    public static List<string> In(IReadOnlyCollection<object> objects)
    {
        object[] channels = [.. objects.Where(item => IsChannel(item.GetType()))];
        for (DateTime end = DateTime.UtcNow + s_patience; DateTime.UtcNow < end && channels.Any(channel => CountOf(channel) > 0);)
        {
            Thread.Sleep(20);
        }

        return [.. from channel in channels
                   let count = CountOf(channel)
                   where count > 0
                   select $"{count} of {ItemOf(channel.GetType())!.FullName} in a channel"];
    }

    private static int CountOf(object channel)
    {
        object reader = channel.GetType().GetProperty("Reader")!.GetValue(channel)!;
        return reader.GetType().GetProperty("CanCount")!.GetValue(reader) is true ? (int)reader.GetType().GetProperty("Count")!.GetValue(reader)! : 0;
    }

    private static Type? ItemOf(Type type)
    {
        for (Type? level = type; level is not null; level = level.BaseType)
        {
            if (level.IsGenericType && level.GetGenericTypeDefinition() == typeof(Channel<,>))
            {
                return level.GetGenericArguments()[1];
            }
        }

        return null;
    }

    private static bool IsOfFramework(Type item) =>
        item.Assembly.GetName().Name is { } name && (name.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal) || name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal));
}
