using System;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;

namespace DotnetSnapshot;

/// <summary>
/// Runs hooks, one after the other, with one deadline for all of them, whose time begins with the runner. It blocks
/// its thread, which is the companion's own, because asynchronous methods would give the JIT milliseconds of work in
/// each restored app, and because their deadline would hang on the app's timers.
/// </summary>
/// <param name="kind">What the hooks are called in failures.</param>
/// <param name="deadline">Time for all of the hooks.</param>
/// <param name="expiry">The token that tells the hooks of the deadline, where they are told.</param>
internal sealed class HookRunner(string kind, TimeSpan deadline, CancellationToken expiry = default)
{
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Null when the hook went well, else a text that names it and says what happened. A hook that hangs is left behind.</summary>
    /// <param name="hook">What the app handed in, by which it is named.</param>
    /// <param name="run">What runs it.</param>
    public string? Run(Delegate hook, Func<Task> run)
    {
        try
        {
            // On another thread: a hook may block the one that it is run on.
            return Task.Run(run).Wait(Left()) ? null : Hung(hook);
        }
        catch (AggregateException failure)
        {
            Exception error = failure.InnerException!;
            return error is OperationCanceledException && expiry.IsCancellationRequested
                ? Hung(hook)
                : $"{kind} {HookName.Of(hook)} threw {error.GetType().Name}: {error.Message.ReplaceLineEndings(" ")}";
        }
    }

    private TimeSpan Left()
    {
        TimeSpan left = deadline - Stopwatch.GetElapsedTime(_start);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private string Hung(Delegate hook) =>
        string.Create(CultureInfo.InvariantCulture, $"{kind} {HookName.Of(hook)} did not end within {deadline.TotalSeconds:0.###} s");
}
