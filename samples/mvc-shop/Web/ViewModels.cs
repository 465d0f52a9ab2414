using MvcShop.Domain;
using MvcShop.Features;

namespace MvcShop.Web;

public sealed record HomePage(IReadOnlyList<LeafCount> Leaves, IReadOnlyList<GrowerCard> Growers);
public sealed record CataloguePage(BrowseForm Filter, ProductPage Products);
public sealed record SearchPage(string Text, IReadOnlyList<ProductCard> Found);
public sealed record ProductDetailsPage(ProductDetails Product, IReadOnlyList<ProductCard> Related, IReadOnlyList<ReviewView> Reviews, ReviewForm Form);
public sealed record CheckoutPage(CartView Cart, CheckoutOptions Options, CheckoutForm Form);
public sealed record OfficePage(StockReport Stock, IReadOnlyList<PriceBand> Prices, ActivityReport Activity, IReadOnlyList<string> Rules);
public sealed record ProblemPage(int Status, string Title);
public sealed record CategoryMenuModel(IReadOnlyList<CategoryCount> Categories, string? Current);
public sealed record RecentlyViewedModel(IReadOnlyList<ProductCard> Products, Sku? Current);
