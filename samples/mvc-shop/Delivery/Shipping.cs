using MvcShop.Domain;
using MvcShop.Messaging;
using MvcShop.Pricing;

namespace MvcShop.Delivery;

/// <summary>A way to bring a basket to a country; null where it can't.</summary>
public interface IShippingMethod
{
    string Label { get; }
    int Days { get; }
    Money? Quote(Basket basket, string country);
}

public sealed record ShippingQuote(string Name, string Label, int Days, Money Price);

public sealed class ShippingDesk(IEnumerable<IShippingMethod> methods)
{
    public IReadOnlyList<ShippingQuote> Quote(Basket basket, string country) =>
    [
        .. from method in methods
           let price = method.Quote(basket, country)
           where price is not null
           orderby price.Value, method.Days
           select new ShippingQuote(method.NameOf(), method.Label, method.Days, basket.FreeShipping && method.Days > 1 ? Money.Zero : price.Value),
    ];
}

[Named("letter")]
internal sealed class Letter : IShippingMethod
{
    public string Label => "Letter";
    public int Days => 3;
    public Money? Quote(Basket basket, string country) => basket.Grams <= 200 && country == "DE" ? new Money(1.60m) : null;
}

[Named("parcel")]
internal sealed class Parcel : IShippingMethod
{
    public string Label => "Parcel";
    public int Days => 2;
    public Money? Quote(Basket basket, string country) => new Money(4.50m + basket.Grams / 1000) + (country == "DE" ? Money.Zero : new Money(5));
}

[Named("express")]
internal sealed class Express : IShippingMethod
{
    public string Label => "Express";
    public int Days => 1;
    public Money? Quote(Basket basket, string country) => country is "DE" or "AT" or "NL" ? new Money(14.90m) : null;
}

[Named("pickup")]
internal sealed class Pickup : IShippingMethod
{
    public string Label => "Fetch it at the shop";
    public int Days => 0;
    public Money? Quote(Basket basket, string country) => country == "DE" ? Money.Zero : null;
}
