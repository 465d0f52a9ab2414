using Microsoft.AspNetCore.Mvc;
using MvcShop.Domain;
using MvcShop.Features;
using MvcShop.Messaging;

namespace MvcShop.Web.Components;

public sealed class CartBadgeViewComponent(IDispatcher dispatcher) : ViewComponent
{
    public async Task<IViewComponentResult> InvokeAsync() => View(await dispatcher.Send(new CountPieces()));
}

public sealed class CategoryMenuViewComponent(IDispatcher dispatcher) : ViewComponent
{
    public async Task<IViewComponentResult> InvokeAsync(string? current) =>
        View(new CategoryMenuModel(await dispatcher.Send(new ListCategories()), current));
}

public sealed class FeaturedViewComponent(IDispatcher dispatcher) : ViewComponent
{
    public async Task<IViewComponentResult> InvokeAsync(int count) => View(await dispatcher.Send(new FeaturedProducts(count)));
}

public sealed class RecentlyViewedViewComponent(IDispatcher dispatcher, IVisitorMemory memory) : ViewComponent
{
    public async Task<IViewComponentResult> InvokeAsync(Sku? current) =>
        View(new RecentlyViewedModel(await dispatcher.Send(new FindProducts([.. memory.Recent.Where(sku => sku != current)])), current));
}

public sealed class RatingBarsViewComponent(IDispatcher dispatcher) : ViewComponent
{
    public async Task<IViewComponentResult> InvokeAsync(Sku sku) => View(await dispatcher.Send(new SummarizeRatings(sku)));
}
