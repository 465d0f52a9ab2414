namespace MvcShop.Messaging;

/// <summary>Something the app is asked for; <typeparamref name="TResult"/> is the answer.</summary>
public interface IRequest<TResult>;

/// <summary>Changes nothing.</summary>
public interface IQuery<TResult> : IRequest<TResult>;

/// <summary>Changes something.</summary>
public interface ICommand<TResult> : IRequest<TResult>;

/// <summary>A query whose answer may be a minute old. Being a record, the query itself is the cache key.</summary>
public interface ICached;

/// <summary>The answer of a command that has none.</summary>
public readonly record struct Nothing;

public interface IHandler<in TRequest, TResult> where TRequest : IRequest<TResult>
{
    Task<TResult> Handle(TRequest request, CancellationToken cancel);
}

public delegate Task<TResult> Next<TResult>();

/// <summary>Wraps every handler that its type parameters fit.</summary>
public interface IStep<in TRequest, TResult> where TRequest : IRequest<TResult>
{
    Task<TResult> Handle(TRequest request, Next<TResult> next, CancellationToken cancel);
}

/// <summary>What must hold beyond the shape of a request.</summary>
public interface IRule<in TRequest>
{
    IAsyncEnumerable<Violation> Check(TRequest request, CancellationToken cancel);
}

public sealed record Violation(string Field, string Message);

public sealed class RuleException(IReadOnlyList<Violation> violations) : Exception(string.Join(" ", violations.Select(v => v.Message)))
{
    public IReadOnlyList<Violation> Violations => violations;
}

public interface IDispatcher
{
    /// <exception cref="RuleException">A rule did not hold; nothing was done.</exception>
    Task<TResult> Send<TResult>(IRequest<TResult> request, CancellationToken cancel = default);
}

/// <summary>Something that happened.</summary>
public interface IEvent;

public interface IEventHandler<in TEvent> where TEvent : IEvent
{
    Task Handle(TEvent happened, CancellationToken cancel);
}

public interface IEventBus
{
    Task Publish<TEvent>(TEvent happened, CancellationToken cancel = default) where TEvent : IEvent;
}
