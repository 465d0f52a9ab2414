using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Kinds;

/// <summary>A thread that does what others hand it, and waits in between.</summary>
internal sealed class Worker
{
    private readonly BlockingCollection<Action> _work = [];

    /// <summary>For a thread that will call <see cref="Serve"/>.</summary>
    public Worker()
    {
    }

    /// <summary>Starts a thread of its own.</summary>
    public Worker(string name) => new Thread(Serve) { Name = name, IsBackground = true }.Start();

    /// <summary>Does what others hand in, until the end.</summary>
    public void Serve()
    {
        foreach (Action action in _work.GetConsumingEnumerable())
        {
            action();
        }
    }

    public void End() => _work.CompleteAdding();

    /// <summary>Has the thread do it, waits for it, and throws what it throws.</summary>
    public void Do(Action action)
    {
        using ManualResetEventSlim done = new();
        ExceptionDispatchInfo? failure = null;
        _work.Add(() =>
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }

            done.Set();
        });
        done.Wait();
        failure?.Throw();
    }

    public T Ask<T>(Func<T> question)
    {
        T answer = default!;
        Do(() => answer = question());
        return answer;
    }
}
