using System;
using System.Threading.Tasks;

namespace DotnetSnapshot;

/// <summary>
/// What an app wants done around its checkpoint. In an app that is not being warmed for a checkpoint, registering does
/// nothing and keeps nothing alive; so it does in an app that was restored.
/// </summary>
public static class SnapshotHooks
{
    private static readonly HookList s_beforeCheckpoint = new();
    private static readonly HookList s_afterRestore = new();

    /// <summary>
    /// Registers what is run right before the checkpoint, when no request is being answered. The hook that was
    /// registered last is run first. Safe to call from any thread.
    /// </summary>
    /// <param name="beforeCheckpointAction">The hook. All hooks together have the time of the input <c>hook-timeout</c>; one that throws or hangs fails the build.</param>
    /// <exception cref="ArgumentNullException">The hook is null.</exception>
    public static void RegisterBeforeCheckpoint(Func<ValueTask> beforeCheckpointAction) =>
        Register(s_beforeCheckpoint, beforeCheckpointAction);

    /// <summary>
    /// Registers what is run in each restored clone, before it answers its first request. The hook that was registered
    /// first is run first. Safe to call from any thread.
    /// </summary>
    /// <param name="afterRestoreAction">The hook. All hooks together have the time of the input <c>hook-timeout</c>; where one throws or hangs, the app is started normally instead.</param>
    /// <exception cref="ArgumentNullException">The hook is null.</exception>
    public static void RegisterAfterRestore(Func<ValueTask> afterRestoreAction) =>
        Register(s_afterRestore, afterRestoreAction);

    /// <summary>Last in, first out.</summary>
    internal static Func<ValueTask>[] BeforeCheckpoint()
    {
        Func<ValueTask>[] hooks = s_beforeCheckpoint.ToArray();
        Array.Reverse(hooks);
        return hooks;
    }

    /// <summary>First in, first out.</summary>
    internal static Func<ValueTask>[] AfterRestore() => s_afterRestore.ToArray();

    private static void Register(HookList hooks, Func<ValueTask> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        if (SnapshotInfo.IsCheckpointing)
        {
            hooks.Add(hook);
        }
    }
}
