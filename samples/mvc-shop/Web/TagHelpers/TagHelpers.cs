using Microsoft.AspNetCore.Mvc.Rendering;
using Microsoft.AspNetCore.Mvc.ViewFeatures;
using Microsoft.AspNetCore.Razor.TagHelpers;
using Microsoft.Extensions.Localization;
using MvcShop.Domain;

namespace MvcShop.Web.TagHelpers;

/// <summary><c>&lt;price of="Model.Price" /&gt;</c>: as the visitor's language writes it.</summary>
public sealed class PriceTagHelper : TagHelper
{
    public Money Of { get; set; }

    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        output.TagName = "data";
        output.TagMode = TagMode.StartTagAndEndTag;
        output.Attributes.SetAttribute("value", FormattableString.Invariant($"{Of.Amount:0.00}"));
        output.Content.SetContent(Of.ToString());
    }
}

/// <summary><c>&lt;stars of="4.5" /&gt;</c>, readable by a screen reader too.</summary>
public sealed class StarsTagHelper : TagHelper
{
    public double Of { get; set; }

    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        var full = (int)Math.Round(Of);
        output.TagName = "span";
        output.TagMode = TagMode.StartTagAndEndTag;
        output.Attributes.SetAttribute("aria-label", FormattableString.Invariant($"{Of:0.#}/5"));
        output.Content.SetContent(new string('★', full) + new string('☆', 5 - full));
    }
}

/// <summary><c>&lt;stock-badge pieces="3" /&gt;</c>: nothing where there is plenty.</summary>
public sealed class StockBadgeTagHelper(IStringLocalizer<Texts> texts) : TagHelper
{
    public int Pieces { get; set; }

    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        if (Pieces > 5)
        {
            output.SuppressOutput();
            return;
        }

        output.TagName = "small";
        output.TagMode = TagMode.StartTagAndEndTag;
        output.Content.SetContent(Pieces == 0 ? texts["Sold out"] : texts["Only {0} left", Pieces]);
    }
}

/// <summary>Marks the link to the page that is being shown.</summary>
[HtmlTargetElement("a", Attributes = "nav")]
public sealed class NavTagHelper : TagHelper
{
    public override int Order => 1000; // after the anchor helper has written href

    [ViewContext, HtmlAttributeNotBound] public ViewContext ViewContext { get; set; } = null!;

    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        output.Attributes.RemoveAll("nav");
        if (output.Attributes["href"]?.Value.ToString() == ViewContext.HttpContext.Request.Path) output.Attributes.SetAttribute("aria-current", "page");
    }
}

/// <summary><c>&lt;pager page="2" pages="5" /&gt;</c>: links that keep the rest of the query string.</summary>
public sealed class PagerTagHelper : TagHelper
{
    public int Page { get; set; }
    public int Pages { get; set; }

    [ViewContext, HtmlAttributeNotBound] public ViewContext ViewContext { get; set; } = null!;

    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        if (Pages < 2)
        {
            output.SuppressOutput();
            return;
        }

        output.TagName = "nav";
        output.TagMode = TagMode.StartTagAndEndTag;
        var request = ViewContext.HttpContext.Request;
        for (var page = 1; page <= Pages; page++)
        {
            var link = new TagBuilder(page == Page ? "strong" : "a");
            link.InnerHtml.Append(page.ToString());
            if (page != Page)
            {
                var query = request.Query.Where(q => !q.Key.Equals("page", StringComparison.OrdinalIgnoreCase))
                    .SelectMany(q => q.Value, (q, value) => KeyValuePair.Create(q.Key, value))
                    .Append(KeyValuePair.Create<string, string?>("page", page.ToString()));
                link.Attributes["href"] = request.Path + QueryString.Create(query);
            }

            output.Content.AppendHtml(link).Append(" ");
        }
    }
}
