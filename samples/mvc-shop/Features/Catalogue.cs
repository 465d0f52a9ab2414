using Microsoft.EntityFrameworkCore;
using MvcShop.Data;
using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Features;

public sealed record ProductCard(Sku Sku, string Name, Leaf Leaf, Money Price, int Stock, double Rating, bool Clearance);
public sealed record ProductPage(int Page, int Pages, int Total, IReadOnlyList<ProductCard> Items);
public sealed record LeafCount(Leaf Leaf, int Products, Money From);
public sealed record CategoryCount(string Slug, string Name, int Products);
public sealed record GrowerCard(string Slug, string Name, string Country);
public sealed record GrowerDetails(string Name, string Country, string Story, IReadOnlyList<ProductCard> Products);
public sealed record ProductDetails(
    Sku Sku, string Name, string Description, Leaf Leaf, int Grams, Money Price, int Stock, double Rating, bool Clearance,
    string Category, string CategorySlug, string Grower, string GrowerSlug, IReadOnlyList<string> Tags)
{
    public Money PricePer100Grams => Price * (100m / Grams);
}
public sealed record Comparison(IReadOnlyList<ProductDetails> Products, Sku? Cheapest, Sku? BestRated);

public sealed record BrowseProducts(string? Category, Leaf? Leaf, string? Tag, Sorting Sorting, int Page, int Size) : IQuery<ProductPage>;
public sealed record SearchProducts(string Text, int Limit) : IQuery<IReadOnlyList<ProductCard>>;
public sealed record SuggestNames(string Prefix) : IQuery<IReadOnlyList<string>>;
public sealed record GetProduct(Sku Sku) : IQuery<ProductDetails?>;
public sealed record RelatedProducts(Sku Sku) : IQuery<IReadOnlyList<ProductCard>>;
public sealed record FeaturedProducts(int Count) : IQuery<IReadOnlyList<ProductCard>>;
public sealed record FindProducts(IReadOnlyList<Sku> Skus) : IQuery<IReadOnlyList<ProductCard>>;
public sealed record CompareProducts(IReadOnlyList<Sku> Skus) : IQuery<Comparison>;
public sealed record CountLeaves : IQuery<IReadOnlyList<LeafCount>>, ICached;
public sealed record ListCategories : IQuery<IReadOnlyList<CategoryCount>>, ICached;
public sealed record ListGrowers : IQuery<IReadOnlyList<GrowerCard>>, ICached;
public sealed record GetGrower(string Slug) : IQuery<GrowerDetails?>;

internal static class Projections
{
    public static IQueryable<ProductCard> AsCards(this IQueryable<Product> products) =>
        products.Select(p => new ProductCard(p.Sku, p.Name, p.Leaf, p.Price, p.Stock, p.Rating, p.Clearance));

    public static IQueryable<ProductDetails> AsDetails(this IQueryable<Product> products) =>
        products.Select(p => new ProductDetails(
            p.Sku, p.Name, p.Description, p.Leaf, p.Grams, p.Price, p.Stock, p.Rating, p.Clearance,
            p.Category.Name, p.Category.Slug, p.Grower.Name, p.Grower.Slug, p.Tags.Select(t => t.Name).ToList()));
}

internal sealed class BrowseProductsHandler(ShopDb db) : IHandler<BrowseProducts, ProductPage>
{
    public async Task<ProductPage> Handle(BrowseProducts query, CancellationToken cancel)
    {
        IQueryable<Product> products = db.Products.AsNoTracking();
        if (query.Category is { } category) products = products.Where(p => p.Category.Slug == category);
        if (query.Leaf is { } leaf) products = products.Where(p => p.Leaf == leaf);
        if (query.Tag is { } tag) products = products.Where(p => p.Tags.Any(t => t.Name == tag));

        products = query.Sorting switch
        {
            Sorting.Price => products.OrderBy(p => p.Price).ThenBy(p => p.Name),
            Sorting.PriceDescending => products.OrderByDescending(p => p.Price).ThenBy(p => p.Name),
            Sorting.Rating => products.OrderByDescending(p => p.Rating).ThenBy(p => p.Name),
            _ => products.OrderBy(p => p.Name),
        };

        var total = await products.CountAsync(cancel);
        var items = await products.Skip((query.Page - 1) * query.Size).Take(query.Size).AsCards().ToListAsync(cancel);
        return new ProductPage(query.Page, Math.Max(1, (total + query.Size - 1) / query.Size), total, items);
    }
}

internal sealed class SearchProductsHandler(ShopDb db, IEventBus events) : IHandler<SearchProducts, IReadOnlyList<ProductCard>>
{
    public async Task<IReadOnlyList<ProductCard>> Handle(SearchProducts query, CancellationToken cancel)
    {
        var text = query.Text.ToLower();
        var found = await db.Products.AsNoTracking()
            .Where(p => p.Name.ToLower().Contains(text) || p.Description.ToLower().Contains(text) || p.Tags.Any(t => t.Name == text))
            .OrderByDescending(p => p.Rating).ThenBy(p => p.Name)
            .Take(query.Limit).AsCards().ToListAsync(cancel);
        await events.Publish(new SearchPerformed(text, found.Count), cancel);
        return found;
    }
}

internal sealed class SuggestNamesHandler(ShopDb db) : IHandler<SuggestNames, IReadOnlyList<string>>
{
    public async Task<IReadOnlyList<string>> Handle(SuggestNames query, CancellationToken cancel)
    {
        var prefix = query.Prefix.ToLower();
        return await db.Products.Where(p => p.Name.ToLower().StartsWith(prefix)).Select(p => p.Name).Order().Take(5).ToListAsync(cancel);
    }
}

internal sealed class GetProductHandler(ShopDb db, IEventBus events) : IHandler<GetProduct, ProductDetails?>
{
    public async Task<ProductDetails?> Handle(GetProduct query, CancellationToken cancel)
    {
        var product = await db.Products.AsNoTracking().Where(p => p.Sku == query.Sku).AsDetails().FirstOrDefaultAsync(cancel);
        if (product is not null) await events.Publish(new ProductViewed(product.Sku), cancel);
        return product;
    }
}

internal sealed class RelatedProductsHandler(ShopDb db) : IHandler<RelatedProducts, IReadOnlyList<ProductCard>>
{
    public async Task<IReadOnlyList<ProductCard>> Handle(RelatedProducts query, CancellationToken cancel) =>
        await (from product in db.Products
               where product.Sku == query.Sku
               from other in db.Products
               where other.Id != product.Id && (other.Leaf == product.Leaf || other.Grower.Id == product.Grower.Id)
               orderby other.Leaf == product.Leaf descending, other.Rating descending, other.Name
               select other).Take(3).AsCards().ToListAsync(cancel);
}

internal sealed class FeaturedProductsHandler(ShopDb db) : IHandler<FeaturedProducts, IReadOnlyList<ProductCard>>
{
    public async Task<IReadOnlyList<ProductCard>> Handle(FeaturedProducts query, CancellationToken cancel) =>
        await db.Products.Where(p => p.Stock > 0)
            .OrderByDescending(p => p.Tags.Any(t => t.Name == "new")).ThenByDescending(p => p.Rating).ThenBy(p => p.Name)
            .Take(query.Count).AsCards().ToListAsync(cancel);
}

internal sealed class FindProductsHandler(ShopDb db) : IHandler<FindProducts, IReadOnlyList<ProductCard>>
{
    public async Task<IReadOnlyList<ProductCard>> Handle(FindProducts query, CancellationToken cancel)
    {
        var cards = await db.Products.Where(p => query.Skus.Contains(p.Sku)).AsCards().ToDictionaryAsync(p => p.Sku, cancel);
        return [.. query.Skus.Where(cards.ContainsKey).Select(sku => cards[sku])];
    }
}

internal sealed class CompareProductsHandler(ShopDb db) : IHandler<CompareProducts, Comparison>
{
    public async Task<Comparison> Handle(CompareProducts query, CancellationToken cancel)
    {
        var products = await db.Products.AsNoTracking().Where(p => query.Skus.Contains(p.Sku)).OrderBy(p => p.Name).AsDetails().ToListAsync(cancel);
        return new Comparison(products, products.MinBy(p => p.PricePer100Grams)?.Sku, products.MaxBy(p => p.Rating)?.Sku);
    }
}

internal sealed class CountLeavesHandler(ShopDb db) : IHandler<CountLeaves, IReadOnlyList<LeafCount>>
{
    public async Task<IReadOnlyList<LeafCount>> Handle(CountLeaves query, CancellationToken cancel) =>
        await db.Products.GroupBy(p => p.Leaf).OrderBy(g => g.Key)
            .Select(g => new LeafCount(g.Key, g.Count(), g.Min(p => p.Price))).ToListAsync(cancel);
}

internal sealed class ListCategoriesHandler(ShopDb db) : IHandler<ListCategories, IReadOnlyList<CategoryCount>>
{
    public async Task<IReadOnlyList<CategoryCount>> Handle(ListCategories query, CancellationToken cancel) =>
        await db.Categories.OrderBy(c => c.Name).Select(c => new CategoryCount(c.Slug, c.Name, c.Products.Count)).ToListAsync(cancel);
}

internal sealed class ListGrowersHandler(ShopDb db) : IHandler<ListGrowers, IReadOnlyList<GrowerCard>>
{
    public async Task<IReadOnlyList<GrowerCard>> Handle(ListGrowers query, CancellationToken cancel) =>
        await db.Growers.OrderBy(g => g.Name).Select(g => new GrowerCard(g.Slug, g.Name, g.Country)).ToListAsync(cancel);
}

internal sealed class GetGrowerHandler(ShopDb db) : IHandler<GetGrower, GrowerDetails?>
{
    public async Task<GrowerDetails?> Handle(GetGrower query, CancellationToken cancel)
    {
        if (await db.Growers.AsNoTracking().FirstOrDefaultAsync(g => g.Slug == query.Slug, cancel) is not { } grower) return null;
        var products = await db.Products.Where(p => p.Grower.Id == grower.Id).OrderBy(p => p.Name).AsCards().ToListAsync(cancel);
        return new GrowerDetails(grower.Name, grower.Country, grower.Story, products);
    }
}
