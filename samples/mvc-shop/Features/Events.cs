using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Features;

public sealed record Pieces(Sku Sku, int Quantity);

public sealed record ProductViewed(Sku Sku) : IEvent;
public sealed record SearchPerformed(string Text, int Found) : IEvent;
public sealed record CartItemAdded(Sku Sku, int Quantity) : IEvent;
public sealed record CartItemRemoved(Sku Sku) : IEvent;
public sealed record VoucherApplied(string Code) : IEvent;
public sealed record OrderPlaced(Order Order) : IEvent;
public sealed record OrderWithdrawn(string Number, string Email, IReadOnlyList<Pieces> Pieces) : IEvent;
public sealed record StockRanLow(Sku Sku, int Left) : IEvent;
public sealed record ReviewWritten(Sku Sku, int Stars) : IEvent;
public sealed record ReviewDeleted(Sku Sku) : IEvent;
public sealed record Subscribed(string Email, string Key) : IEvent;
public sealed record Unsubscribed(string Email) : IEvent;
