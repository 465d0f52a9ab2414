using System.Reflection;

namespace MvcShop.Messaging;

/// <summary>A class that is chosen by a name: a voucher by its code, a tax policy by its country.</summary>
[AttributeUsage(AttributeTargets.Class)]
public class NamedAttribute(string name) : Attribute
{
    public string Name => name;
}

/// <summary>Registers what the assembly holds, so that a new handler or rule needs no line anywhere else.</summary>
public static class Discovery
{
    /// <summary>Handlers, event handlers and rules, and whatever else implements one of the open contracts.</summary>
    public static IServiceCollection AddMessaging(this IServiceCollection services, Assembly assembly, params Type[] contracts)
    {
        Type[] scanned = [typeof(IHandler<,>), typeof(IEventHandler<>), typeof(IRule<>), .. contracts];

        services.AddScoped<IDispatcher, Dispatcher>();
        services.AddScoped<IEventBus, EventBus>();

        // In this order around each handler; the container leaves out a step whose constraints the request does not meet.
        services.AddScoped(typeof(IStep<,>), typeof(LoggingStep<,>));
        services.AddScoped(typeof(IStep<,>), typeof(TracingStep<,>));
        services.AddScoped(typeof(IStep<,>), typeof(RulesStep<,>));
        services.AddScoped(typeof(IStep<,>), typeof(CachingStep<,>));

        foreach (var type in Concrete(assembly))
        {
            foreach (var contract in type.GetInterfaces().Where(i => i.IsGenericType && scanned.Contains(i.GetGenericTypeDefinition())))
            {
                services.AddScoped(type.IsGenericTypeDefinition ? contract.GetGenericTypeDefinition() : contract, type);
            }
        }

        return services;
    }

    /// <summary>Registers each implementation of a contract; those with a <see cref="NamedAttribute"/> also under that name.</summary>
    public static IServiceCollection AddAllOf<TContract>(this IServiceCollection services, Assembly assembly) where TContract : class
    {
        foreach (var type in Concrete(assembly).Where(t => t.IsAssignableTo(typeof(TContract))))
        {
            services.AddSingleton(typeof(TContract), type);
            if (type.GetCustomAttribute<NamedAttribute>() is { } named) services.AddKeyedSingleton(typeof(TContract), named.Name, type);
        }

        return services;
    }

    public static string NameOf(this object named) => named.GetType().GetCustomAttribute<NamedAttribute>()?.Name ?? named.GetType().Name;

    private static IEnumerable<Type> Concrete(Assembly assembly) =>
        assembly.GetTypes().Where(t => t is { IsClass: true, IsAbstract: false }).OrderBy(t => t.FullName, StringComparer.Ordinal);
}
