using System.Globalization;
using System.Text.RegularExpressions;
using DotnetSnapshot;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Mvc.ModelBinding.Binders;
using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Web;

/// <summary>PriceBands becomes price-bands in [action] and [controller].</summary>
internal sealed partial class KebabCase : IOutboundParameterTransformer
{
    public string? TransformOutbound(object? value) =>
        value is null ? null : Seam.Replace(value.ToString()!, "$1-$2").ToLowerInvariant();

    [GeneratedRegex("([a-z])([A-Z])")]
    private static partial Regex Seam { get; }
}

/// <summary>Tells the browser how long the action took, and which snapshot this process comes from.</summary>
internal sealed class ServerTimingFilter(TimeProvider clock) : IAsyncResourceFilter
{
    public async Task OnResourceExecutionAsync(ResourceExecutingContext context, ResourceExecutionDelegate next)
    {
        var start = clock.GetTimestamp();
        var response = context.HttpContext.Response;
        response.OnStarting(() =>
        {
            var milliseconds = clock.GetElapsedTime(start).TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);
            var snapshot = SnapshotInfo.Id is { } id ? $", snapshot;desc=\"{id}\"" : "";
            response.Headers["Server-Timing"] = $"app;dur={milliseconds}{snapshot}";
            return Task.CompletedTask;
        });
        await next();
    }
}

/// <summary>Answers a broken rule of a JSON request with a validation problem.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RulesAsProblemAttribute : ExceptionFilterAttribute
{
    public override void OnException(ExceptionContext context)
    {
        if (context.Exception is not RuleException broken) return;
        context.ModelState.Add(broken);
        context.Result = new UnprocessableEntityObjectResult(new ValidationProblemDetails(context.ModelState)
        {
            Status = StatusCodes.Status422UnprocessableEntity,
        }) { ContentTypes = { "application/problem+json" } };
        context.ExceptionHandled = true;
    }
}

internal static class ModelStateExtensions
{
    public static void Add(this ModelStateDictionary state, RuleException broken)
    {
        foreach (var (field, message) in broken.Violations) state.AddModelError(field, message);
    }
}

/// <summary>Binds TEA-0001,TEA-0002 to a list of article numbers.</summary>
internal sealed class SkuListBinder : IModelBinder
{
    public Task BindModelAsync(ModelBindingContext context)
    {
        var text = context.ValueProvider.GetValue(context.ModelName).FirstValue ?? "";
        List<Sku> skus = [];
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (Sku.TryParse(part, null, out var sku)) skus.Add(sku);
            else context.ModelState.AddModelError(context.ModelName, $"'{part}' is no article number.");
        }

        context.Result = ModelBindingResult.Success(skus);
        return Task.CompletedTask;
    }
}

internal sealed class SkuListBinderProvider : IModelBinderProvider
{
    public IModelBinder? GetBinder(ModelBinderProviderContext context) =>
        context.Metadata.ModelType == typeof(IReadOnlyList<Sku>) ? new BinderTypeModelBinder(typeof(SkuListBinder)) : null;
}
