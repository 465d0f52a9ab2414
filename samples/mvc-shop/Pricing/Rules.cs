using System.Reflection;
using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Pricing;

/// <summary>Changes the price of a basket. Found by its attribute and applied in that order.</summary>
public interface IPricingRule
{
    void Apply(Basket basket);
}

[AttributeUsage(AttributeTargets.Class)]
public sealed class PricingRuleAttribute(int order) : Attribute
{
    public int Order => order;
}

public sealed class PricingEngine(IEnumerable<IPricingRule> rules)
{
    private readonly IPricingRule[] ordered =
        [.. rules.Where(r => Order(r) is not null).OrderBy(Order)];

    public IEnumerable<string> RuleNames => ordered.Select(r => r.GetType().Name);

    public Basket Price(Basket basket)
    {
        foreach (var rule in ordered) rule.Apply(basket);
        return basket;
    }

    private static int? Order(IPricingRule rule) => rule.GetType().GetCustomAttribute<PricingRuleAttribute>()?.Order;
}

[PricingRule(10)]
internal sealed class ClearanceRule : IPricingRule
{
    public void Apply(Basket basket) =>
        basket.Reduce("Clearance, a third off", basket.Lines.Where(l => l.Product.Clearance).Aggregate(Money.Zero, (sum, l) => sum + l.Total * (1m / 3)));
}

[PricingRule(20)]
internal sealed class SixPackRule : IPricingRule
{
    public void Apply(Basket basket)
    {
        foreach (var line in basket.Lines.Where(l => l.Quantity >= 6))
        {
            basket.Reduce($"One of six {line.Product.Name} for free", line.Product.Price * (line.Quantity / 6));
        }
    }
}

[PricingRule(30)]
internal sealed class HerbalTrioRule : IPricingRule
{
    public void Apply(Basket basket)
    {
        var herbs = basket.Lines.Where(l => l.Product.Leaf == Leaf.Herbal).ToList();
        if (herbs.Count >= 3) basket.Reduce("Three herbal teas, the cheapest at half price", herbs.Min(l => l.Product.Price) * 0.5m);
    }
}

[PricingRule(40)]
internal sealed class OrganicRule : IPricingRule
{
    public void Apply(Basket basket)
    {
        if (basket.Lines.Count > 1 && basket.Lines.All(l => l.Product.Organic)) basket.Reduce("All organic", basket.Goods * 0.03m);
    }
}

[PricingRule(50)]
internal sealed class BulkRule : IPricingRule
{
    public void Apply(Basket basket)
    {
        if (basket.Grams >= 2000) basket.Reduce("Two kilos or more", basket.Goods * 0.05m);
    }
}

[PricingRule(60)]
internal sealed class VoucherRule(IServiceProvider services) : IPricingRule
{
    public void Apply(Basket basket)
    {
        if (basket.Voucher is { } code) services.GetKeyedService<IVoucher>(code)?.Apply(basket);
    }
}

[PricingRule(70)]
internal sealed class FreeShippingRule : IPricingRule
{
    public void Apply(Basket basket) => basket.FreeShipping |= basket.Total >= new Money(49);
}

[PricingRule(80)]
internal sealed class SmallOrderRule : IPricingRule
{
    public void Apply(Basket basket)
    {
        if (basket.Pieces > 0 && basket.Goods < new Money(5)) basket.Raise("Small order", new Money(1));
    }
}

/// <summary>Something behind a code. Found by its name, which is the code.</summary>
public interface IVoucher
{
    string Description { get; }
    void Apply(Basket basket);
}

[Named("SPRING10")]
internal sealed class SpringVoucher : IVoucher
{
    public string Description => "10 % off";
    public void Apply(Basket basket) => basket.Reduce(Description, basket.Total * 0.1m);
}

[Named("WELCOME5")]
internal sealed class WelcomeVoucher : IVoucher
{
    public string Description => "€5 off";
    public void Apply(Basket basket) => basket.Reduce(Description, Money.Min(basket.Total, new Money(5)));
}

[Named("SHIPFREE")]
internal sealed class ShippingVoucher : IVoucher
{
    public string Description => "Free shipping";
    public void Apply(Basket basket) => basket.FreeShipping = true;
}
