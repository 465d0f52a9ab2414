using System.Collections.Concurrent;

namespace MvcShop.Messaging;

/// <summary>Finds the handler of a request by its run-time type and runs it inside all steps that fit.</summary>
internal sealed class Dispatcher(IServiceProvider services) : IDispatcher
{
    private static readonly ConcurrentDictionary<Type, object> Runners = new();

    public Task<TResult> Send<TResult>(IRequest<TResult> request, CancellationToken cancel = default)
    {
        var runner = (Runner<TResult>)Runners.GetOrAdd(request.GetType(), static (type, result) =>
            Activator.CreateInstance(typeof(Runner<,>).MakeGenericType(type, result))!, typeof(TResult));
        return runner.Run(services, request, cancel);
    }

    private abstract class Runner<TResult>
    {
        public abstract Task<TResult> Run(IServiceProvider services, IRequest<TResult> request, CancellationToken cancel);
    }

    private sealed class Runner<TRequest, TResult> : Runner<TResult> where TRequest : IRequest<TResult>
    {
        public override Task<TResult> Run(IServiceProvider services, IRequest<TResult> request, CancellationToken cancel)
        {
            var handler = services.GetRequiredService<IHandler<TRequest, TResult>>();
            Next<TResult> innermost = () => handler.Handle((TRequest)request, cancel);
            return services.GetServices<IStep<TRequest, TResult>>().Reverse().Aggregate(innermost,
                (next, step) => () => step.Handle((TRequest)request, next, cancel))();
        }
    }
}

internal sealed class EventBus(IServiceProvider services) : IEventBus
{
    public async Task Publish<TEvent>(TEvent happened, CancellationToken cancel = default) where TEvent : IEvent
    {
        foreach (var handler in services.GetServices<IEventHandler<TEvent>>()) await handler.Handle(happened, cancel);
    }
}
