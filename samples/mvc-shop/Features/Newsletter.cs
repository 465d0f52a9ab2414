using Microsoft.EntityFrameworkCore;
using MvcShop.Data;
using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Features;

public sealed record Subscribe(string Email) : ICommand<string>;
public sealed record Unsubscribe(string Key) : ICommand<bool>;

internal sealed class SubscribeHandler(ShopDb db, IEventBus events) : IHandler<Subscribe, string>
{
    /// <summary>The key to unsubscribe with; who subscribes twice gets the same.</summary>
    public async Task<string> Handle(Subscribe command, CancellationToken cancel)
    {
        var email = command.Email.ToLowerInvariant();
        if (await db.Subscribers.FirstOrDefaultAsync(s => s.Email == email, cancel) is { } known) return known.Key;

        var subscriber = new Subscriber { Email = email, Key = Unguessable.Key() };
        db.Subscribers.Add(subscriber);
        await db.SaveChangesAsync(cancel);
        await events.Publish(new Subscribed(email, subscriber.Key), cancel);
        return subscriber.Key;
    }
}

internal sealed class UnsubscribeHandler(ShopDb db, IEventBus events) : IHandler<Unsubscribe, bool>
{
    public async Task<bool> Handle(Unsubscribe command, CancellationToken cancel)
    {
        if (await db.Subscribers.FirstOrDefaultAsync(s => s.Key == command.Key, cancel) is not { } subscriber) return false;
        db.Subscribers.Remove(subscriber);
        await db.SaveChangesAsync(cancel);
        await events.Publish(new Unsubscribed(subscriber.Email), cancel);
        return true;
    }
}
