using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using MvcShop.Data;
using MvcShop.Delivery;
using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Features;

public sealed record PaymentOption(string Name, string Label);
public sealed record CheckoutOptions(IReadOnlyList<ShippingQuote> Shipping, IReadOnlyList<PaymentOption> Payment, IReadOnlyList<string> Countries);
public sealed record OrderLineView(Sku Sku, string Name, int Quantity, Money Price);
public sealed record OrderView(
    string Number, Address Address, string Shipping, string Payment, string Instructions, Money Total, Money Tax, IReadOnlyList<OrderLineView> Lines);

public sealed record GetCheckoutOptions(string Country) : IQuery<CheckoutOptions>;
public sealed record PlaceOrder(string Email, Address Address, string Shipping, string Payment) : ICommand<string>;
public sealed record GetOrder(string Number) : IQuery<OrderView?>;
public sealed record WithdrawOrder(string Number) : ICommand<bool>;

internal sealed class GetCheckoutOptionsHandler(
    ICartStore store, BasketBuilder baskets, ShippingDesk shipping, TaxDesk tax, IEnumerable<IPaymentMethod> payments)
    : IHandler<GetCheckoutOptions, CheckoutOptions>
{
    public async Task<CheckoutOptions> Handle(GetCheckoutOptions query, CancellationToken cancel) => new(
        shipping.Quote(await baskets.Build(store.Load(), cancel), query.Country),
        [.. payments.Select(p => new PaymentOption(p.NameOf(), p.Label))],
        tax.Countries);
}

internal sealed class OrderedCartIsNotEmpty(ICartStore store) : IRule<PlaceOrder>
{
    public async IAsyncEnumerable<Violation> Check(PlaceOrder command, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        if (store.Load().Pieces.Count == 0) yield return new("", "The cart is empty.");
    }
}

internal sealed class OrderCanBeDelivered(ICartStore store, BasketBuilder baskets, ShippingDesk shipping, TaxDesk tax, IServiceProvider services)
    : IRule<PlaceOrder>
{
    public async IAsyncEnumerable<Violation> Check(PlaceOrder command, [EnumeratorCancellation] CancellationToken cancel)
    {
        var country = command.Address.Country;
        if (!tax.Serves(country))
        {
            yield return new("Country", "We don't deliver there.");
            yield break;
        }

        var basket = await baskets.Build(store.Load(), cancel);
        var quote = shipping.Quote(basket, country).FirstOrDefault(q => q.Name == command.Shipping);
        if (quote is null) yield return new(nameof(command.Shipping), "This way of shipping is not possible.");
        if (services.GetKeyedService<IPaymentMethod>(command.Payment)?.Accepts(basket.Total + (quote?.Price ?? Money.Zero), command.Shipping, country) is not true)
        {
            yield return new(nameof(command.Payment), "This way of paying is not possible.");
        }
    }
}

internal sealed class PlaceOrderHandler(
    ShopDb db, ICartStore store, BasketBuilder baskets, ShippingDesk shipping, IEventBus events, TimeProvider clock) : IHandler<PlaceOrder, string>
{
    public async Task<string> Handle(PlaceOrder command, CancellationToken cancel)
    {
        var basket = await baskets.Build(store.Load(), cancel);
        var quote = shipping.Quote(basket, command.Address.Country).First(q => q.Name == command.Shipping);
        var order = new Order
        {
            Number = Unguessable.Key(), Email = command.Email, Address = command.Address, Shipping = quote.Label, Payment = command.Payment,
            Total = basket.Total + quote.Price, PlacedAt = clock.GetUtcNow(),
            Lines = [.. basket.Lines.Select(l => new OrderLine { Sku = l.Product.Sku, Name = l.Product.Name, Quantity = l.Quantity, Price = l.Product.Price })],
        };
        db.Orders.Add(order);
        await db.SaveChangesAsync(cancel);
        store.Clear();
        await events.Publish(new OrderPlaced(order), cancel);
        return order.Number;
    }
}

internal sealed class GetOrderHandler(ShopDb db, TaxDesk tax, IServiceProvider services) : IHandler<GetOrder, OrderView?>
{
    public async Task<OrderView?> Handle(GetOrder query, CancellationToken cancel)
    {
        var order = await db.Orders.AsNoTracking().Include(o => o.Lines).FirstOrDefaultAsync(o => o.Number == query.Number, cancel);
        if (order is null) return null;
        var payment = services.GetRequiredKeyedService<IPaymentMethod>(order.Payment);
        return new OrderView(order.Number, order.Address, order.Shipping, payment.Label, payment.Instructions(order.Number), order.Total,
            tax.Included(order.Total, order.Address.Country),
            [.. order.Lines.Select(l => new OrderLineView(l.Sku, l.Name, l.Quantity, l.Price))]);
    }
}

internal sealed class WithdrawOrderHandler(ShopDb db, IEventBus events) : IHandler<WithdrawOrder, bool>
{
    public async Task<bool> Handle(WithdrawOrder command, CancellationToken cancel)
    {
        var order = await db.Orders.Include(o => o.Lines).FirstOrDefaultAsync(o => o.Number == command.Number, cancel);
        if (order is null) return false;
        var withdrawn = new OrderWithdrawn(order.Number, order.Email, [.. order.Lines.Select(l => new Pieces(l.Sku, l.Quantity))]);
        db.Orders.Remove(order);
        await db.SaveChangesAsync(cancel);
        await events.Publish(withdrawn, cancel);
        return true;
    }
}
