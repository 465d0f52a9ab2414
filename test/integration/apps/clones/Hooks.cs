using DotnetSnapshot;

namespace Clones;

/// <summary>Hooks that do what the variables HOOK_BEFORE and HOOK_AFTER say at the time.</summary>
internal static class Hooks
{
    /// <summary>Unix time in milliseconds.</summary>
    public static long EndedAt { get; private set; }

    /// <summary>1 where /before was asked, 2 where /after was.</summary>
    public static int Paths { get; set; }

    public static void Register()
    {
        SnapshotHooks.RegisterBeforeCheckpoint(BeforeCheckpoint);
        SnapshotHooks.RegisterAfterRestore(AfterRestore);
    }

    private static ValueTask BeforeCheckpoint() => Do("HOOK_BEFORE");

    private static async ValueTask AfterRestore()
    {
        await Do("HOOK_AFTER");
        EndedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
    }

    private static async ValueTask Do(string variable)
    {
        switch (Environment.GetEnvironmentVariable(variable))
        {
            case "throw":
                throw new InvalidOperationException("told to throw");
            case "hang":
                await Task.Delay(Timeout.Infinite);
                break;
            case "slow":
                await Task.Delay(700);
                break;
        }
    }
}
