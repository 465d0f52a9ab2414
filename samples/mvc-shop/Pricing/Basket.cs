using MvcShop.Domain;

namespace MvcShop.Pricing;

/// <summary>What is being bought, while the rules work on it.</summary>
public sealed class Basket(IReadOnlyList<BasketLine> lines, string? voucher)
{
    private readonly List<Adjustment> adjustments = [];

    public IReadOnlyList<BasketLine> Lines => lines;
    public string? Voucher => voucher;
    public IReadOnlyList<Adjustment> Adjustments => adjustments;
    public bool FreeShipping { get; set; }

    public int Pieces => lines.Sum(l => l.Quantity);
    public int Grams => lines.Sum(l => l.Quantity * l.Product.Grams);
    public Money Goods => lines.Aggregate(Money.Zero, (sum, line) => sum + line.Total);
    public Money Total => Money.Max(Money.Zero, adjustments.Aggregate(Goods, (sum, a) => sum + a.Amount));

    public void Reduce(string reason, Money by)
    {
        if (by > Money.Zero) adjustments.Add(new Adjustment(reason, -by));
    }

    public void Raise(string reason, Money by) => adjustments.Add(new Adjustment(reason, by));
}

public sealed record BasketLine(PricedProduct Product, int Quantity)
{
    public Money Total => Product.Price * Quantity;
}

/// <summary>What the rules may look at.</summary>
public sealed record PricedProduct(Sku Sku, string Name, Money Price, Leaf Leaf, int Grams, bool Clearance, bool Organic);

public sealed record Adjustment(string Reason, Money Amount);
