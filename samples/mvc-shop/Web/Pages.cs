using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using MvcShop.Domain;
using MvcShop.Features;
using MvcShop.Messaging;

namespace MvcShop.Web;

/// <summary>A controller that answers with HTML.</summary>
[Route("[controller]")]
public abstract class PageController(IDispatcher dispatcher) : Controller
{
    protected Task<TResult> Send<TResult>(IRequest<TResult> request) => dispatcher.Send(request, HttpContext.RequestAborted);

    /// <summary>Sends a command where the form is in order; what stood in its way is in ModelState.</summary>
    protected async Task<bool> TrySend<TResult>(Func<ICommand<TResult>> command, Action<TResult>? done = null)
    {
        if (!ModelState.IsValid) return false;
        try
        {
            var result = await Send(command());
            done?.Invoke(result);
            return true;
        }
        catch (RuleException broken)
        {
            ModelState.Add(broken);
            return false;
        }
    }

    /// <summary>Shown once, on the next page.</summary>
    protected void Note(string text) => TempData["note"] = text;

    protected string Violations() => string.Join(" ", ModelState.Values.SelectMany(v => v.Errors).Select(e => e.ErrorMessage));
}

[Route("")]
public sealed class HomeController(IDispatcher dispatcher) : PageController(dispatcher)
{
    [HttpGet]
    public async Task<IActionResult> Index() => View(new HomePage(await Send(new CountLeaves()), await Send(new ListGrowers())));
}

public sealed class TeasController(IDispatcher dispatcher, IOptionsSnapshot<ShopOptions> options) : PageController(dispatcher)
{
    [HttpGet]
    public async Task<IActionResult> Index([FromQuery] BrowseForm filter)
    {
        if (!ModelState.IsValid) return BadRequest();
        return View(new CataloguePage(filter, await Send(
            new BrowseProducts(filter.Category, filter.Leaf, filter.Tag, filter.Sorting, filter.Page, options.Value.PageSize))));
    }

    [HttpGet("[action]")]
    public async Task<IActionResult> Search(string? text) =>
        View(new SearchPage(text ?? "", string.IsNullOrWhiteSpace(text) ? [] : await Send(new SearchProducts(text.Trim(), 10))));

    [HttpGet("[action]")]
    public async Task<IActionResult> Compare(IReadOnlyList<Sku> skus) =>
        ModelState.IsValid ? View(await Send(new CompareProducts(skus))) : BadRequest();

    [HttpGet("{sku}")]
    public Task<IActionResult> Details(Sku sku) => Page(sku, new ReviewForm());

    [HttpPost("{sku}/reviews")]
    public async Task<IActionResult> Review(Sku sku, ReviewForm form)
    {
        if (!await TrySend(() => new AddReview(sku, form.Author!, form.Stars, form.Text!), written => TempData["review"] = $"{written.Id}/{written.Key}"))
        {
            return await Page(sku, form, StatusCodes.Status400BadRequest);
        }

        Note("Thank you.");
        return RedirectToAction(nameof(Details), new { sku });
    }

    [HttpPost("{sku}/reviews/{id:int}/{key}/delete")]
    public async Task<IActionResult> DeleteReview(Sku sku, int id, string key)
    {
        if (!await Send(new DeleteReview(id, key))) return NotFound();
        return RedirectToAction(nameof(Details), new { sku });
    }

    private async Task<IActionResult> Page(Sku sku, ReviewForm form, int status = StatusCodes.Status200OK)
    {
        if (!ModelState.IsValid && status == StatusCodes.Status200OK || await Send(new GetProduct(sku)) is not { } product) return NotFound();
        Response.StatusCode = status;
        return View(nameof(Details), new ProductDetailsPage(product, await Send(new RelatedProducts(sku)), await Send(new ListReviews(sku)), form));
    }
}

public sealed class GrowersController(IDispatcher dispatcher) : PageController(dispatcher)
{
    [HttpGet]
    public async Task<IActionResult> Index() => View(await Send(new ListGrowers()));

    [HttpGet("{slug}")]
    public async Task<IActionResult> Details(string slug) => await Send(new GetGrower(slug)) is { } grower ? View(grower) : NotFound();
}

public sealed class CartController(IDispatcher dispatcher) : PageController(dispatcher)
{
    [HttpGet]
    public async Task<IActionResult> Index() => View(await Send(new GetCart()));

    [HttpPost("[action]")]
    public Task<IActionResult> Add(CartForm form) =>
        Change(() => new AddToCart(Sku.Parse(form.Sku!), Math.Max(1, form.Quantity)), "In the cart.");

    [HttpPost("[action]")]
    public Task<IActionResult> Update(CartForm form) =>
        Change(() => new ChangeQuantity(Sku.Parse(form.Sku!), form.Quantity), "Changed.");

    [HttpPost("[action]")]
    public Task<IActionResult> Voucher(VoucherForm form) =>
        Change(() => new ApplyVoucher(form.Code!.ToUpperInvariant()), "The voucher counts.");

    [HttpPost("[action]")]
    public async Task<IActionResult> Clear()
    {
        await Send(new EmptyCart());
        return RedirectToAction(nameof(Index));
    }

    private async Task<IActionResult> Change(Func<ICommand<CartView>> command, string done)
    {
        Note(await TrySend(command) ? done : Violations());
        return RedirectToAction(nameof(Index));
    }
}

public sealed class CheckoutController(IDispatcher dispatcher) : PageController(dispatcher)
{
    [HttpGet]
    public Task<IActionResult> Index() => Page(new CheckoutForm());

    [HttpPost]
    public async Task<IActionResult> Index(CheckoutForm form)
    {
        var number = "";
        var placed = await TrySend(
            () => new PlaceOrder(form.Email!, form.Address.ToAddress(), form.Shipping!, form.Payment!), order => number = order);
        if (placed) return RedirectToAction(nameof(OrdersController.Details), "Orders", new { number });

        Response.StatusCode = StatusCodes.Status400BadRequest;
        return await Page(form);
    }

    private async Task<IActionResult> Page(CheckoutForm form) =>
        View(new CheckoutPage(await Send(new GetCart()), await Send(new GetCheckoutOptions(form.Address.Country ?? "DE")), form));
}

public sealed class OrdersController(IDispatcher dispatcher) : PageController(dispatcher)
{
    [HttpGet("{number}")]
    public async Task<IActionResult> Details(string number) => await Send(new GetOrder(number)) is { } order ? View(order) : NotFound();

    [HttpPost("{number}/[action]")]
    public async Task<IActionResult> Withdraw(string number)
    {
        if (!await Send(new WithdrawOrder(number))) return NotFound();
        Note("The order is withdrawn.");
        return RedirectToAction(nameof(HomeController.Index), "Home");
    }
}

public sealed class NewsletterController(IDispatcher dispatcher) : PageController(dispatcher)
{
    [HttpGet]
    public IActionResult Index() => View(new NewsletterForm());

    [HttpPost]
    public async Task<IActionResult> Index(NewsletterForm form)
    {
        if (await TrySend(() => new Subscribe(form.Email!), key => TempData["key"] = key)) return RedirectToAction(nameof(Index));
        Response.StatusCode = StatusCodes.Status400BadRequest;
        return View(form);
    }

    [HttpPost("[action]/{key}")]
    public async Task<IActionResult> Leave(string key)
    {
        if (!await Send(new Unsubscribe(key))) return NotFound();
        Note("You won't hear from us again.");
        return RedirectToAction(nameof(Index));
    }
}

/// <summary>The view of who runs the shop.</summary>
public sealed class OfficeController(IDispatcher dispatcher) : PageController(dispatcher)
{
    [HttpGet]
    public async Task<IActionResult> Index() => View(new OfficePage(
        await Send(new GetStockReport()), await Send(new GetPriceBands()), await Send(new GetActivity(10)), await Send(new ListPricingRules())));
}

public sealed class CultureController(IDispatcher dispatcher) : PageController(dispatcher)
{
    public const string Cookie = "culture";

    [HttpPost]
    public IActionResult Index(CultureForm form)
    {
        if (!ModelState.IsValid) return BadRequest();
        Response.Cookies.Append(Cookie, CookieRequestCultureProvider.MakeCookieValue(new RequestCulture(form.Culture!)), new CookieOptions { IsEssential = true });
        return LocalRedirect(Url.IsLocalUrl(form.ReturnUrl) ? form.ReturnUrl : "/");
    }
}

/// <summary>What UseStatusCodePages and UseExceptionHandler show: HTML for pages, ProblemDetails for the API.</summary>
[Route("problem"), IgnoreAntiforgeryToken]
public sealed class ProblemController(IDispatcher dispatcher) : PageController(dispatcher)
{
    [Route("{status:int}")]
    public IActionResult Index(int status)
    {
        Response.StatusCode = status;
        var asked = HttpContext.Features.Get<Microsoft.AspNetCore.Diagnostics.IStatusCodeReExecuteFeature>()?.OriginalPath
            ?? HttpContext.Features.Get<Microsoft.AspNetCore.Diagnostics.IExceptionHandlerPathFeature>()?.Path ?? "";
        return asked.StartsWith("/api/", StringComparison.Ordinal)
            ? Problem(statusCode: status)
            : View(new ProblemPage(status, ReasonPhrases.GetReasonPhrase(status)));
    }
}
