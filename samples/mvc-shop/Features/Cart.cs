using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using MvcShop.Data;
using MvcShop.Domain;
using MvcShop.Messaging;
using MvcShop.Pricing;

namespace MvcShop.Features;

/// <summary>What a visitor has put into the cart; kept with the session.</summary>
public sealed class CartState
{
    public const int MaxPieces = 50;

    public Dictionary<string, int> Pieces { get; init; } = [];
    public string? Voucher { get; set; }

    public IReadOnlyList<Sku> Skus => [.. Pieces.Keys.Select(sku => Sku.Parse(sku))];
    public int Of(Sku sku) => Pieces.GetValueOrDefault(sku.Value);

    public void Set(Sku sku, int pieces)
    {
        if (pieces > 0) Pieces[sku.Value] = pieces;
        else Pieces.Remove(sku.Value);
    }
}

/// <summary>Where the cart of the current visitor is kept.</summary>
public interface ICartStore
{
    CartState Load();
    void Save(CartState cart);
    void Clear();
}

public sealed record CartLine(Sku Sku, string Name, int Quantity, Money Price, Money Total);
public sealed record CartView(IReadOnlyList<CartLine> Lines, IReadOnlyList<Adjustment> Adjustments, string? Voucher, bool FreeShipping, int Pieces, Money Total);

public sealed record GetCart : IQuery<CartView>;
public sealed record CountPieces : IQuery<int>;
public sealed record AddToCart(Sku Sku, int Quantity) : ICommand<CartView>;
public sealed record ChangeQuantity(Sku Sku, int Quantity) : ICommand<CartView>;
public sealed record ApplyVoucher(string Code) : ICommand<CartView>;
public sealed record EmptyCart : ICommand<Nothing>;

/// <summary>Makes a priced basket of a cart.</summary>
public sealed class BasketBuilder(ShopDb db, PricingEngine engine)
{
    public async Task<Basket> Build(CartState cart, CancellationToken cancel)
    {
        var skus = cart.Skus;
        var products = await db.Products.Where(p => skus.Contains(p.Sku)).OrderBy(p => p.Name)
            .Select(p => new PricedProduct(p.Sku, p.Name, p.Price, p.Leaf, p.Grams, p.Clearance, p.Tags.Any(t => t.Name == "organic")))
            .ToListAsync(cancel);
        return engine.Price(new Basket([.. products.Select(p => new BasketLine(p, cart.Of(p.Sku)))], cart.Voucher));
    }

    public async Task<CartView> View(CartState cart, CancellationToken cancel)
    {
        var basket = await Build(cart, cancel);
        return new CartView(
            [.. basket.Lines.Select(l => new CartLine(l.Product.Sku, l.Product.Name, l.Quantity, l.Product.Price, l.Total))],
            basket.Adjustments, basket.Voucher, basket.FreeShipping, basket.Pieces, basket.Total);
    }
}

internal sealed class GetCartHandler(ICartStore store, BasketBuilder baskets) : IHandler<GetCart, CartView>
{
    public Task<CartView> Handle(GetCart query, CancellationToken cancel) => baskets.View(store.Load(), cancel);
}

internal sealed class CountPiecesHandler(ICartStore store) : IHandler<CountPieces, int>
{
    public Task<int> Handle(CountPieces query, CancellationToken cancel) => Task.FromResult(store.Load().Pieces.Values.Sum());
}

internal sealed class AddedProductIsThere(ShopDb db, ICartStore store) : IRule<AddToCart>
{
    public async IAsyncEnumerable<Violation> Check(AddToCart command, [EnumeratorCancellation] CancellationToken cancel)
    {
        var wanted = store.Load().Of(command.Sku) + command.Quantity;
        var product = await db.Products.AsNoTracking().FirstOrDefaultAsync(p => p.Sku == command.Sku, cancel);
        if (product is null) yield return new(nameof(command.Sku), "There is no such tea.");
        else if (product.Stock < wanted) yield return new(nameof(command.Quantity), $"Only {product.Stock} of {product.Name} are left.");
        if (wanted > CartState.MaxPieces) yield return new(nameof(command.Quantity), $"A cart holds {CartState.MaxPieces} of one tea.");
    }
}

internal sealed class AddToCartHandler(ICartStore store, BasketBuilder baskets, IEventBus events) : IHandler<AddToCart, CartView>
{
    public async Task<CartView> Handle(AddToCart command, CancellationToken cancel)
    {
        var cart = store.Load();
        cart.Set(command.Sku, cart.Of(command.Sku) + command.Quantity);
        store.Save(cart);
        await events.Publish(new CartItemAdded(command.Sku, command.Quantity), cancel);
        return await baskets.View(cart, cancel);
    }
}

internal sealed class ChangedProductIsInCart(ICartStore store) : IRule<ChangeQuantity>
{
    public async IAsyncEnumerable<Violation> Check(ChangeQuantity command, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        if (store.Load().Of(command.Sku) == 0) yield return new(nameof(command.Sku), "This tea is not in the cart.");
    }
}

internal sealed class ChangeQuantityHandler(ICartStore store, BasketBuilder baskets, IEventBus events) : IHandler<ChangeQuantity, CartView>
{
    public async Task<CartView> Handle(ChangeQuantity command, CancellationToken cancel)
    {
        var cart = store.Load();
        cart.Set(command.Sku, command.Quantity);
        store.Save(cart);
        if (command.Quantity == 0) await events.Publish(new CartItemRemoved(command.Sku), cancel);
        return await baskets.View(cart, cancel);
    }
}

internal sealed class VoucherIsKnown(IServiceProvider services) : IRule<ApplyVoucher>
{
    public async IAsyncEnumerable<Violation> Check(ApplyVoucher command, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        if (services.GetKeyedService<IVoucher>(command.Code) is null) yield return new(nameof(command.Code), "We don't know this voucher.");
    }
}

internal sealed class ApplyVoucherHandler(ICartStore store, BasketBuilder baskets, IEventBus events) : IHandler<ApplyVoucher, CartView>
{
    public async Task<CartView> Handle(ApplyVoucher command, CancellationToken cancel)
    {
        var cart = store.Load();
        cart.Voucher = command.Code;
        store.Save(cart);
        await events.Publish(new VoucherApplied(command.Code), cancel);
        return await baskets.View(cart, cancel);
    }
}

internal sealed class EmptyCartHandler(ICartStore store) : IHandler<EmptyCart, Nothing>
{
    public Task<Nothing> Handle(EmptyCart command, CancellationToken cancel)
    {
        store.Clear();
        return Task.FromResult(default(Nothing));
    }
}
