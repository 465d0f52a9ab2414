using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.NetworkInformation;

namespace DotnetSnapshot.Companion;

/// <summary>What the app still holds open right before the checkpoint and will find closed, or elsewhere, after a restore.</summary>
internal static class OpenHandles
{
    /// <summary>`tcp HOST:PORT` for each outbound connection, `file PATH` for each file open for writing.</summary>
    public static List<string> List() => [.. Connections().Concat(Files()).Distinct().Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Connections()
    {
        IPGlobalProperties network = IPGlobalProperties.GetIPGlobalProperties();
        HashSet<int> listening = [.. network.GetActiveTcpListeners().Select(end => end.Port)];
        return network.GetActiveTcpConnections()
            .Where(connection => connection.State == TcpState.Established && !listening.Contains(connection.LocalEndPoint.Port))
            .Select(connection => $"tcp {connection.RemoteEndPoint}");
    }

    private static IEnumerable<string> Files() =>
        from descriptor in Directory.EnumerateFiles("/proc/self/fd")
        let target = TargetOf(descriptor)
        where target?.StartsWith('/') == true && !target.StartsWith("/dev/", StringComparison.Ordinal) && !target.StartsWith("/proc/", StringComparison.Ordinal)
        where IsOpenForWriting(Path.GetFileName(descriptor))
        select $"file {target}";

    private static string? TargetOf(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The last octal digit of `flags` is the access mode; 0 is read-only.</summary>
    private static bool IsOpenForWriting(string descriptor)
    {
        try
        {
            return File.ReadLines($"/proc/self/fdinfo/{descriptor}").Any(line => line.StartsWith("flags:", StringComparison.Ordinal) && (line[^1] - '0') % 4 != 0);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
