// Holds HEAP_MB megabytes of live objects, made before the first request is answered, as an app does that loads its
// catalogue into memory: a dictionary from strings to records, each with strings and a small list of its own.
int megabytes = int.Parse(Environment.GetEnvironmentVariable("HEAP_MB") ?? "10");
int count = (int)(megabytes * 1_000_000L / BytesOfOne());
Dictionary<string, Product> products = Catalogue(count);

var builder = WebApplication.CreateSlimBuilder(args);
var app = builder.Build();
app.MapGet("/healthz", () => "Healthy");
app.MapGet("/products/{number:int}", (int number) =>
    products.TryGetValue(Product.CodeOf(number), out Product? product) ? Results.Json(product) : Results.NotFound());
app.Run();

static Dictionary<string, Product> Catalogue(int count)
{
    Random random = new(1);
    Dictionary<string, Product> products = new(count);
    for (int number = 0; number < count; number++)
    {
        Product product = Product.Make(number, random);
        products.Add(product.Code, product);
    }

    return products;
}

// What a product keeps alive, its place in the dictionary included; what making it leaves as garbage doesn't count.
static long BytesOfOne()
{
    const int sample = 10_000;
    long before = GC.GetTotalMemory(forceFullCollection: true);
    Dictionary<string, Product> some = Catalogue(sample);
    long bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
    GC.KeepAlive(some);
    return bytes / sample;
}

internal sealed record Price(string Currency, decimal Amount);

internal sealed record Product(string Code, string Name, string Description, DateTime Added, List<Price> Prices)
{
    private static readonly string[] Words =
        ["oak", "table", "lamp", "steel", "linen", "chair", "shelf", "brass", "wool", "glass", "small", "wide", "folding"];

    public static string CodeOf(int number) => $"P-{number:D8}";

    public static Product Make(int number, Random random)
    {
        string Text(int words) => $"{string.Join(' ', random.GetItems(Words, words))} {random.Next(1_000_000)}";
        return new(CodeOf(number), Text(3), Text(12), new DateTime(2026, 1, 1).AddMinutes(number),
            [new("EUR", random.Next(10_000) / 100m), new("USD", random.Next(10_000) / 100m)]);
    }
}
