namespace Kinds;

/// <summary>All kinds of things, and what was found wrong with them.</summary>
internal sealed class Inventory(IReadOnlyList<Kind> kinds)
{
    /// <summary>So long may one check take; it hangs where a thing that it waits for was lost.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Lock _one = new();

    /// <summary>What a check found right before the checkpoint.</summary>
    public Dictionary<string, object>? FoundBefore { get; private set; }

    /// <summary>What was found right after the restore, before anything was used.</summary>
    public Dictionary<string, object>? FoundAfter { get; private set; }

    /// <summary>By name of the kind, true or what is wrong.</summary>
    public Dictionary<string, object> Check() => Each(kind => kind.Check());

    public void BeforeCheckpoint()
    {
        FoundBefore = Each(kind => kind.Check());
        foreach (Kind kind in kinds)
        {
            kind.BeforeCheckpoint();
        }
    }

    public void AfterRestore() => FoundAfter = Each(kind => kind.AfterRestore());

    private Dictionary<string, object> Each(Action<Kind> action)
    {
        lock (_one)
        {
            return kinds.ToDictionary(kind => kind.Name, kind => Found(() => action(kind)));
        }
    }

    private static object Found(Action action)
    {
        try
        {
            // A thread of its own: one that hangs must not take the pool's.
            Task work = Task.Factory.StartNew(action, TaskCreationOptions.LongRunning);
            return work.Wait(Patience) ? true : "hangs";
        }
        catch (AggregateException failure)
        {
            Exception cause = failure.InnerException!;
            return cause is WrongException ? cause.Message : $"{cause.GetType().Name}: {cause.Message}";
        }
    }
}
