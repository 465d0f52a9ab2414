using System.Text.Json;
using MvcShop.Domain;
using MvcShop.Features;

namespace MvcShop.Web;

internal sealed class SessionCart(IHttpContextAccessor http) : ICartStore
{
    private const string Key = "cart";

    private ISession Session => http.HttpContext!.Session;

    public CartState Load() =>
        Session.Get(Key) is { } stored ? JsonSerializer.Deserialize<CartState>(stored)! : new CartState();

    public void Save(CartState cart) => Session.Set(Key, JsonSerializer.SerializeToUtf8Bytes(cart));

    public void Clear() => Session.Remove(Key);
}

internal sealed class SessionMemory(IHttpContextAccessor http) : IVisitorMemory
{
    private const string Key = "recent";
    private const int Capacity = 4;

    private ISession Session => http.HttpContext!.Session;

    public IReadOnlyList<Sku> Recent =>
        [.. (Session.GetString(Key) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(sku => Sku.Parse(sku))];

    public void Remember(Sku sku) => Session.SetString(Key, string.Join(' ', Recent.Where(s => s != sku).Prepend(sku).Take(Capacity)));
}
