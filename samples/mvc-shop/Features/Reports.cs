using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MvcShop.Data;
using MvcShop.Domain;
using MvcShop.Messaging;
using MvcShop.Pricing;

namespace MvcShop.Features;

public sealed record StockRow(Sku Sku, string Name, int Stock, Money Value);
public sealed record StockReport(IReadOnlyList<StockRow> Low, Money Value);
public sealed record PriceBand(string Category, Money Lowest, Money Highest, decimal Mean);
public sealed record ActivityReport(IReadOnlyList<Activity> Latest, IReadOnlyDictionary<string, int> Searched, IReadOnlyDictionary<string, int> Bought);

public sealed record GetStockReport : IQuery<StockReport>;
public sealed record GetPriceBands : IQuery<IReadOnlyList<PriceBand>>, ICached;
public sealed record GetActivity(int Count) : IQuery<ActivityReport>;
public sealed record ListPricingRules : IQuery<IReadOnlyList<string>>;

internal sealed class GetStockReportHandler(ShopDb db, IOptionsSnapshot<ShopOptions> options) : IHandler<GetStockReport, StockReport>
{
    public async Task<StockReport> Handle(GetStockReport query, CancellationToken cancel)
    {
        var rows = await db.Products.Select(p => new StockRow(p.Sku, p.Name, p.Stock, p.Price * p.Stock)).ToListAsync(cancel);
        return new StockReport(
            [.. rows.Where(r => r.Stock <= options.Value.LowStock).OrderBy(r => r.Stock)],
            rows.Aggregate(Money.Zero, (sum, row) => sum + row.Value));
    }
}

internal sealed class GetPriceBandsHandler(ShopDb db) : IHandler<GetPriceBands, IReadOnlyList<PriceBand>>
{
    public async Task<IReadOnlyList<PriceBand>> Handle(GetPriceBands query, CancellationToken cancel) =>
        await db.Products.GroupBy(p => p.Category.Name).OrderBy(g => g.Key)
            .Select(g => new PriceBand(g.Key, g.Min(p => p.Price), g.Max(p => p.Price), g.Average(p => p.Price.Amount)))
            .ToListAsync(cancel);
}

internal sealed class GetActivityHandler(ActivityLog log, Popularity popularity) : IHandler<GetActivity, ActivityReport>
{
    public Task<ActivityReport> Handle(GetActivity query, CancellationToken cancel) =>
        Task.FromResult(new ActivityReport(log.Latest(query.Count), popularity.Searched(5), popularity.Bought(5)));
}

internal sealed class ListPricingRulesHandler(PricingEngine engine) : IHandler<ListPricingRules, IReadOnlyList<string>>
{
    public Task<IReadOnlyList<string>> Handle(ListPricingRules query, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<string>>([.. engine.RuleNames]);
}
