using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MvcShop.Data;
using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Features;

/// <summary>Open on purpose: it sees every event there is.</summary>
internal sealed class RecordActivity<TEvent>(ActivityLog log, TimeProvider clock) : IEventHandler<TEvent> where TEvent : IEvent
{
    public Task Handle(TEvent happened, CancellationToken cancel)
    {
        log.Add(new Activity(typeof(TEvent).Name, clock.GetUtcNow()));
        return Task.CompletedTask;
    }
}

internal sealed class CountSearch(Popularity popularity) : IEventHandler<SearchPerformed>
{
    public Task Handle(SearchPerformed happened, CancellationToken cancel)
    {
        if (happened.Found > 0) popularity.CountSearch(happened.Text);
        return Task.CompletedTask;
    }
}

internal sealed class CountSales(Popularity popularity) : IEventHandler<OrderPlaced>
{
    public Task Handle(OrderPlaced happened, CancellationToken cancel)
    {
        foreach (var line in happened.Order.Lines) popularity.CountSale(line.Name, line.Quantity);
        return Task.CompletedTask;
    }
}

internal sealed class RememberVisit(IVisitorMemory memory) : IEventHandler<ProductViewed>
{
    public Task Handle(ProductViewed happened, CancellationToken cancel)
    {
        memory.Remember(happened.Sku);
        return Task.CompletedTask;
    }
}

internal sealed class TakeFromStock(ShopDb db, IEventBus events, IOptionsSnapshot<ShopOptions> options) : IEventHandler<OrderPlaced>
{
    public async Task Handle(OrderPlaced happened, CancellationToken cancel)
    {
        foreach (var line in happened.Order.Lines)
        {
            var product = await db.Products.FirstAsync(p => p.Sku == line.Sku, cancel);
            product.TakeFromStock(line.Quantity);
            if (product.Stock <= options.Value.LowStock) await events.Publish(new StockRanLow(product.Sku, product.Stock), cancel);
        }

        await db.SaveChangesAsync(cancel);
    }
}

internal sealed class ReturnToStock(ShopDb db) : IEventHandler<OrderWithdrawn>
{
    public async Task Handle(OrderWithdrawn happened, CancellationToken cancel)
    {
        foreach (var (sku, quantity) in happened.Pieces) (await db.Products.FirstAsync(p => p.Sku == sku, cancel)).PutInStock(quantity);
        await db.SaveChangesAsync(cancel);
    }
}

internal sealed partial class WarnBuyer(ILogger<WarnBuyer> log) : IEventHandler<StockRanLow>
{
    public Task Handle(StockRanLow happened, CancellationToken cancel)
    {
        RanLow(happened.Sku, happened.Left);
        return Task.CompletedTask;
    }

    [LoggerMessage(LogLevel.Warning, "Only {Left} of {Sku} left")]
    private partial void RanLow(Sku sku, int left);
}

internal sealed class RefreshRating(ShopDb db) : IEventHandler<ReviewWritten>, IEventHandler<ReviewDeleted>
{
    public Task Handle(ReviewWritten happened, CancellationToken cancel) => Refresh(happened.Sku, cancel);
    public Task Handle(ReviewDeleted happened, CancellationToken cancel) => Refresh(happened.Sku, cancel);

    private async Task Refresh(Sku sku, CancellationToken cancel)
    {
        var product = await db.Products.Include(p => p.Reviews).FirstAsync(p => p.Sku == sku, cancel);
        product.Rate(product.Reviews.Select(r => r.Stars).DefaultIfEmpty().Average());
        await db.SaveChangesAsync(cancel);
    }
}

internal sealed class SendMail<TEvent>(IEnumerable<IMailTemplate<TEvent>> templates, IMailer mailer) : IEventHandler<TEvent> where TEvent : IEvent
{
    public async Task Handle(TEvent happened, CancellationToken cancel)
    {
        foreach (var template in templates) await mailer.Send(template.Write(happened), cancel);
    }
}
