using System;
using System.Globalization;

namespace DotnetSnapshot.Companion;

/// <summary>What the launcher's environment tells the companion; removed from it, so that the app's child processes find nothing of it.</summary>
internal sealed record Settings(int RequestDescriptor, int AnswerDescriptor, TimeSpan HookDeadline, Uri? BeforeCheckpoint, Uri? AfterRestore, string? ReadyPath)
{
    private const string Prefix = "DOTNET_SNAPSHOT_";

    /// <summary>Null where the launcher did not start this process to be checkpointed.</summary>
    public static Settings? Take()
    {
        if (TakeVariable("CONTROL") is not { } control)
        {
            return null;
        }

        MayDiffer.Take(TakeVariable("MAY_DIFFER"));
        MayDiffer.TakeSecrets(TakeVariable("SECRETS"));
        StartOnly.Port = TakeVariable("PORT");
        Clock.CatchesUp = TakeVariable("TIMERS") != "continue";
        string[] descriptors = control.Split(',');
        return new Settings(
            int.Parse(descriptors[0], CultureInfo.InvariantCulture),
            int.Parse(descriptors[1], CultureInfo.InvariantCulture),
            TimeSpan.FromSeconds(int.Parse(TakeVariable("HOOK_SECONDS") ?? "10", CultureInfo.InvariantCulture)),
            TakeVariable("BEFORE_URL") is { } before ? new Uri(before) : null,
            TakeVariable("AFTER_URL") is { } after ? new Uri(after) : null,
            TakeVariable("READY_PATH"));
    }

    /// <summary>Startup hooks of the app itself, which the companion stands before.</summary>
    public static string? TakeAppHooks() => TakeVariable("APP_HOOKS");

    /// <summary>
    /// The variables that hold the warmed process to an instruction set were read when it started. They are not the
    /// app's, and no clone's container has them: gives the app those that it would have without, as src/warmup/isa.ts
    /// lists them.
    /// </summary>
    public static void PutBackVariables()
    {
        foreach (string line in TakeVariable("ISA")?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            string[] parts = line.Split('=', 2);
            Environment.SetEnvironmentVariable(parts[0], parts.Length == 2 ? parts[1] : null);
        }
    }

    private static string? TakeVariable(string name)
    {
        string? value = Environment.GetEnvironmentVariable(Prefix + name);
        Environment.SetEnvironmentVariable(Prefix + name, null);
        return value;
    }
}
