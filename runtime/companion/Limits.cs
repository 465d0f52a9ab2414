using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;

namespace DotnetSnapshot.Companion;

/// <summary>CPUs and memory that the container may use, as the runtime reads them at its start.</summary>
internal sealed class Limits
{
    private const string Groups = "/sys/fs/cgroup";

    private int _cpus;
    private long _memoryBytes;

    /// <summary>Notes those of the build.</summary>
    public void Note() => (_cpus, _memoryBytes) = (Cpus(), MemoryBytes());

    /// <summary>Lets the runtime follow where it can. Returns what differs from the build, for people.</summary>
    public List<string> TakeOver()
    {
        List<string> different = [];
        int cpus = Cpus();
        if (cpus != _cpus)
        {
            different.Add($"{cpus} {(cpus == 1 ? "CPU" : "CPUs")} instead of {_cpus}");
            ThreadPool.GetMinThreads(out int workers, out int ports);
            if (workers == _cpus)
            {
                // Not changed by the app: the framework's default is the number of CPUs.
                ThreadPool.SetMinThreads(cpus, ports == _cpus ? cpus : ports);
            }
        }

        long memory = MemoryBytes();
        if (memory != _memoryBytes)
        {
            different.Add($"{Readable(memory)} of memory instead of {Readable(_memoryBytes)}");
            try
            {
                GC.RefreshMemoryLimit();
            }
            catch (InvalidOperationException)
            {
                throw new RestoreException($"{Readable(memory)} of memory are too little for the heap of the snapshot");
            }
        }

        return different;
    }

    private static int Cpus()
    {
        int allowed = File.ReadLines("/proc/self/status")
            .Where(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal))
            .SelectMany(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim().Split(','))
            .Sum(range => range.Split('-') is [var first, var last] ? Number(last) - Number(first) + 1 : 1);
        (double quota, double period) = (Text("cpu.max") ?? $"{Text("cpu/cpu.cfs_quota_us") ?? "max"} {Text("cpu/cpu.cfs_period_us") ?? "1"}").Split(' ') switch
        {
            [var limit, var every] when double.TryParse(limit, CultureInfo.InvariantCulture, out double value) && value > 0 => (value, Number(every)),
            _ => (allowed, 1),
        };
        return Math.Max(1, Math.Min(allowed, (int)Math.Ceiling(quota / period)));
    }

    private static long MemoryBytes()
    {
        long machine = 1024L * long.Parse(File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        return long.TryParse(Text("memory.max") ?? Text("memory/memory.limit_in_bytes"), CultureInfo.InvariantCulture, out long limit)
            ? Math.Min(limit, machine)
            : machine;
    }

    /// <summary>A file of cgroup v2, or of v1 where it has a folder before its name; null where there is none.</summary>
    private static string? Text(string name)
    {
        string path = Path.Combine(Groups, name);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Readable(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0} MiB");
}
