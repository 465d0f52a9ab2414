using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Mvc;
using MvcShop.Domain;
using MvcShop.Features;
using MvcShop.Messaging;

namespace MvcShop.Web.Api;

/// <summary>A controller that answers with JSON. A foreign page can't send JSON with our cookies, so no antiforgery token is asked for.</summary>
[ApiController, Route("api/[controller]"), IgnoreAntiforgeryToken, RulesAsProblem]
public abstract class ApiController(IDispatcher dispatcher) : ControllerBase
{
    protected Task<TResult> Send<TResult>(IRequest<TResult> request) => dispatcher.Send(request, HttpContext.RequestAborted);

    protected ActionResult<T> OkOrNotFound<T>(T? found) where T : class => found is null ? NotFound() : Ok(found);
}

public sealed record CartItemBody([Required] Sku? Sku, [Range(1, CartState.MaxPieces)] int Quantity = 1);
public sealed record QuantityBody([Range(0, CartState.MaxPieces)] int Quantity);
public sealed record ReviewBody([Required, StringLength(40, MinimumLength = 2)] string Author, [Range(1, 5)] int Stars, [Required, StringLength(1000, MinimumLength = 10)] string Text);

[Route("api/teas")]
public sealed class TeasApiController(IDispatcher dispatcher) : ApiController(dispatcher)
{
    [HttpGet]
    public Task<ProductPage> Browse(
        string? category, Leaf? leaf, string? tag, Sorting sorting, [Range(1, 1000)] int page = 1, [Range(1, 50)] int size = 10) =>
        Send(new BrowseProducts(category, leaf, tag, sorting, page, size));

    [HttpGet("search")]
    public Task<IReadOnlyList<ProductCard>> Search([Required, StringLength(50)] string text) => Send(new SearchProducts(text, 20));

    [HttpGet("names")]
    public Task<IReadOnlyList<string>> Names([Required, StringLength(50)] string prefix) => Send(new SuggestNames(prefix));

    [HttpGet("compare")]
    public Task<Comparison> Compare(IReadOnlyList<Sku> skus) => Send(new CompareProducts(skus));

    [HttpGet("{sku}")]
    public async Task<ActionResult<ProductDetails>> Get(Sku sku) => OkOrNotFound(await Send(new GetProduct(sku)));

    [HttpGet("{sku}/related")]
    public Task<IReadOnlyList<ProductCard>> Related(Sku sku) => Send(new RelatedProducts(sku));

    [HttpGet("{sku}/reviews")]
    public Task<IReadOnlyList<ReviewView>> Reviews(Sku sku) => Send(new ListReviews(sku));

    [HttpGet("{sku}/rating")]
    public Task<RatingSummary> Rating(Sku sku) => Send(new SummarizeRatings(sku));

    [HttpPost("{sku}/reviews")]
    public async Task<ActionResult<WrittenReview>> Review(Sku sku, ReviewBody body)
    {
        var written = await Send(new AddReview(sku, body.Author, body.Stars, body.Text));
        return CreatedAtAction(nameof(Reviews), new { sku }, written);
    }

    [HttpDelete("{sku}/reviews/{id:int}")]
    public async Task<IActionResult> DeleteReview(int id, [Required] string key) =>
        await Send(new DeleteReview(id, key)) ? NoContent() : NotFound();
}

[Route("api/categories")]
public sealed class CategoriesApiController(IDispatcher dispatcher) : ApiController(dispatcher)
{
    [HttpGet]
    public Task<IReadOnlyList<CategoryCount>> List() => Send(new ListCategories());
}

[Route("api/growers")]
public sealed class GrowersApiController(IDispatcher dispatcher) : ApiController(dispatcher)
{
    [HttpGet]
    public Task<IReadOnlyList<GrowerCard>> List() => Send(new ListGrowers());

    [HttpGet("{slug}")]
    public async Task<ActionResult<GrowerDetails>> Get(string slug) => OkOrNotFound(await Send(new GetGrower(slug)));
}

[Route("api/cart")]
public sealed class CartApiController(IDispatcher dispatcher) : ApiController(dispatcher)
{
    [HttpGet]
    public Task<CartView> Get() => Send(new GetCart());

    [HttpPost]
    public Task<CartView> Add(CartItemBody body) => Send(new AddToCart(body.Sku!.Value, body.Quantity));

    [HttpPut("{sku}")]
    public Task<CartView> Change(Sku sku, QuantityBody body) => Send(new ChangeQuantity(sku, body.Quantity));

    [HttpPut("voucher/{code}")]
    public Task<CartView> Voucher(string code) => Send(new ApplyVoucher(code));

    [HttpGet("checkout/{country}")]
    public Task<CheckoutOptions> Options(string country) => Send(new GetCheckoutOptions(country));

    [HttpDelete]
    public async Task<IActionResult> Clear()
    {
        await Send(new EmptyCart());
        return NoContent();
    }
}

[Route("api/orders")]
public sealed class OrdersApiController(IDispatcher dispatcher) : ApiController(dispatcher)
{
    [HttpGet("{number}")]
    public async Task<ActionResult<OrderView>> Get(string number) => OkOrNotFound(await Send(new GetOrder(number)));

    [HttpDelete("{number}")]
    public async Task<IActionResult> Withdraw(string number) => await Send(new WithdrawOrder(number)) ? NoContent() : NotFound();
}

[Route("api/reports/[action]")]
public sealed class ReportsApiController(IDispatcher dispatcher) : ApiController(dispatcher)
{
    [HttpGet] public Task<StockReport> Stock() => Send(new GetStockReport());
    [HttpGet] public Task<IReadOnlyList<PriceBand>> PriceBands() => Send(new GetPriceBands());
    [HttpGet] public Task<ActivityReport> Activity([Range(1, 100)] int count = 20) => Send(new GetActivity(count));
    [HttpGet] public Task<IReadOnlyList<string>> PricingRules() => Send(new ListPricingRules());
}
