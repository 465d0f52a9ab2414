using Microsoft.EntityFrameworkCore;
using MvcShop.Domain;

namespace MvcShop.Data;

/// <summary>The catalogue the shop opens with.</summary>
public static class Seed
{
    public static async Task SeedAsync(this IServiceProvider services)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ShopDb>();
        if (await db.Products.AnyAsync()) return;

        var categories = new[] { ("classic", "Classics"), ("single-estate", "Single estate"), ("wellbeing", "Wellbeing"), ("gifts", "Gifts") }
            .ToDictionary(c => c.Item1, c => new Category { Slug = c.Item1, Name = c.Item2 });
        var growers = new[]
        {
            ("hill-house", "Hill House", "India", "Steep gardens at 2,000 metres, picked by hand since 1880."),
            ("uji-brothers", "Uji Brothers", "Japan", "Shaded for three weeks before the harvest, milled on stone."),
            ("wuyi-rock", "Wuyi Rock", "China", "Cliff bushes, roasted over charcoal."),
            ("alm-kraeuter", "Alm Kräuter", "Austria", "A family that gathers herbs above the tree line."),
        }.ToDictionary(g => g.Item1, g => new Grower { Slug = g.Item1, Name = g.Item2, Country = g.Item3, Story = g.Item4 });
        var tags = new[] { "organic", "decaf", "fair", "new", "strong" }.ToDictionary(t => t, t => new Tag { Name = t });

        Product Tea(int number, string name, string description, Leaf leaf, int grams, decimal price, string category, string grower, int stock,
            bool clearance = false, params string[] tagged)
        {
            var product = new Product
            {
                Sku = Sku.Parse($"TEA-{number:0000}"), Name = name, Description = description, Leaf = leaf, Grams = grams,
                Price = new Money(price), Category = categories[category], Grower = growers[grower], Clearance = clearance,
                Tags = [.. tagged.Select(t => tags[t])],
            };
            product.PutInStock(stock);
            return product;
        }

        Product[] teas =
        [
            Tea(1, "Breakfast Blend", "Malty and brisk; stands milk.", Leaf.Black, 250, 7.90m, "classic", "hill-house", 5000, tagged: ["strong"]),
            Tea(2, "Earl Grey", "Bergamot over a light black leaf.", Leaf.Black, 100, 6.50m, "classic", "hill-house", 5000, tagged: ["fair"]),
            Tea(3, "Sencha", "Grassy, a little sweet.", Leaf.Green, 100, 9.80m, "classic", "uji-brothers", 5000, tagged: ["organic"]),
            Tea(4, "Genmaicha", "Green tea with roasted rice.", Leaf.Green, 100, 8.40m, "classic", "uji-brothers", 5000, tagged: ["organic", "fair"]),
            Tea(5, "First Flush", "Floral, from the first weeks of spring.", Leaf.Black, 100, 16.90m, "single-estate", "hill-house", 5000, tagged: ["new", "organic"]),
            Tea(6, "Gyokuro", "Deep green, savoury, shaded.", Leaf.Green, 50, 24.00m, "single-estate", "uji-brothers", 5000, tagged: ["organic"]),
            Tea(7, "Rock Oolong", "Mineral, roasted, long.", Leaf.Oolong, 50, 19.50m, "single-estate", "wuyi-rock", 5000, tagged: ["strong"]),
            Tea(8, "Silver Needle", "Buds only; honey and hay.", Leaf.White, 50, 22.00m, "single-estate", "wuyi-rock", 5000, tagged: ["new"]),
            Tea(9, "Mountain Herbs", "Thyme, yarrow, lady's mantle.", Leaf.Herbal, 80, 5.90m, "wellbeing", "alm-kraeuter", 5000, tagged: ["organic", "decaf"]),
            Tea(10, "Chamomile", "Whole flowers.", Leaf.Herbal, 60, 4.20m, "wellbeing", "alm-kraeuter", 5000, tagged: ["organic", "decaf"]),
            Tea(11, "Evening Calm", "Balm, lavender, hops.", Leaf.Herbal, 60, 4.80m, "wellbeing", "alm-kraeuter", 5000, clearance: true, tagged: ["decaf"]),
            Tea(12, "Tasting Box", "Ten little tins from all gardens.", Leaf.Black, 200, 29.00m, "gifts", "wuyi-rock", 5000, tagged: ["fair"]),
            Tea(13, "Winter Spice", "Orange, clove, cinnamon; last year's.", Leaf.Black, 100, 6.90m, "gifts", "hill-house", 3, clearance: true),
            Tea(14, "Moon Cake Tin", "Sold out until autumn.", Leaf.Oolong, 50, 14.00m, "gifts", "wuyi-rock", 0),
        ];

        foreach (var (tea, index) in teas.Take(10).Select((tea, index) => (tea, index)))
        {
            var stars = 3 + index % 3;
            tea.Reviews.Add(new Review
            {
                Product = tea, Author = "Ada", Stars = stars, Key = Unguessable.Key(), WrittenAt = DateTimeOffset.UnixEpoch.AddDays(20_000 + index),
                Text = stars > 4 ? "I will order it again." : "Good, and quickly here.",
            });
            tea.Rate(stars);
        }

        db.Products.AddRange(teas);
        await db.SaveChangesAsync();
    }
}
