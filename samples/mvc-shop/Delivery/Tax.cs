using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Delivery;

/// <summary>How much of a price is tax. Found by its name, which is the country.</summary>
public interface ITaxPolicy
{
    decimal Rate { get; }
}

public sealed class TaxDesk(IServiceProvider services, IEnumerable<ITaxPolicy> policies)
{
    public IReadOnlyList<string> Countries { get; } = [.. policies.Select(p => p.NameOf()).Order(StringComparer.Ordinal)];

    public bool Serves(string country) => services.GetKeyedService<ITaxPolicy>(country) is not null;

    /// <summary>The tax that a price with tax holds.</summary>
    public Money Included(Money gross, string country) =>
        services.GetKeyedService<ITaxPolicy>(country) is { } policy ? gross - new Money(gross.Amount / (1 + policy.Rate)) : Money.Zero;
}

[Named("DE")] internal sealed class GermanTax : ITaxPolicy { public decimal Rate => 0.07m; }
[Named("AT")] internal sealed class AustrianTax : ITaxPolicy { public decimal Rate => 0.10m; }
[Named("FR")] internal sealed class FrenchTax : ITaxPolicy { public decimal Rate => 0.055m; }
[Named("NL")] internal sealed class DutchTax : ITaxPolicy { public decimal Rate => 0.09m; }
[Named("DK")] internal sealed class DanishTax : ITaxPolicy { public decimal Rate => 0.25m; }
[Named("IE")] internal sealed class IrishTax : ITaxPolicy { public decimal Rate => 0m; }
