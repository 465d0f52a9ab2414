using System.Diagnostics;
using Microsoft.Extensions.Caching.Memory;

namespace MvcShop.Messaging;

internal sealed partial class LoggingStep<TRequest, TResult>(ILogger<LoggingStep<TRequest, TResult>> log, TimeProvider clock)
    : IStep<TRequest, TResult> where TRequest : IRequest<TResult>
{
    public async Task<TResult> Handle(TRequest request, Next<TResult> next, CancellationToken cancel)
    {
        var start = clock.GetTimestamp();
        try
        {
            return await next();
        }
        finally
        {
            Handled(typeof(TRequest).Name, clock.GetElapsedTime(start).TotalMilliseconds);
        }
    }

    [LoggerMessage(LogLevel.Debug, "{Request} took {Milliseconds:0.0} ms")]
    private partial void Handled(string request, double milliseconds);
}

internal sealed class TracingStep<TRequest, TResult> : IStep<TRequest, TResult> where TRequest : ICommand<TResult>
{
    public Task<TResult> Handle(TRequest request, Next<TResult> next, CancellationToken cancel)
    {
        Activity.Current?.AddTag("shop.command", typeof(TRequest).Name);
        return next();
    }
}

internal sealed class RulesStep<TRequest, TResult>(IEnumerable<IRule<TRequest>> rules)
    : IStep<TRequest, TResult> where TRequest : ICommand<TResult>
{
    public async Task<TResult> Handle(TRequest request, Next<TResult> next, CancellationToken cancel)
    {
        List<Violation> violations = [];
        foreach (var rule in rules)
        {
            await foreach (var violation in rule.Check(request, cancel)) violations.Add(violation);
        }

        return violations.Count == 0 ? await next() : throw new RuleException(violations);
    }
}

internal sealed class CachingStep<TRequest, TResult>(IMemoryCache cache)
    : IStep<TRequest, TResult> where TRequest : IQuery<TResult>, ICached
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    public async Task<TResult> Handle(TRequest request, Next<TResult> next, CancellationToken cancel) =>
        (await cache.GetOrCreateAsync(request, entry =>
        {
            entry.AbsoluteExpirationRelativeToNow = Lifetime;
            return next();
        }))!;
}
