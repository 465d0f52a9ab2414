using System.ComponentModel.DataAnnotations;
using MvcShop.Delivery;
using MvcShop.Domain;
using MvcShop.Features;

namespace MvcShop.Web;

/// <summary>The article number of something in this shop's scheme.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class SkuFormatAttribute() : ValidationAttribute("An article number looks like TEA-0042.")
{
    public override bool IsValid(object? value) => value is null || Sku.TryParse(value.ToString(), null, out _);
}

/// <summary>A country that the shop delivers to.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ServedCountryAttribute() : ValidationAttribute("We don't deliver there.")
{
    protected override ValidationResult? IsValid(object? value, ValidationContext context) =>
        value is null || context.GetRequiredService<TaxDesk>().Serves((string)value)
            ? ValidationResult.Success
            : new ValidationResult(ErrorMessageString, [context.MemberName!]);
}

public sealed class BrowseForm
{
    public string? Category { get; set; }
    public Leaf? Leaf { get; set; }
    [StringLength(20)] public string? Tag { get; set; }
    public Sorting Sorting { get; set; }
    [Range(1, 1000)] public int Page { get; set; } = 1;
}

public sealed class CartForm
{
    [Required, SkuFormat] public string? Sku { get; set; }
    [Range(0, CartState.MaxPieces, ErrorMessage = "Between {1} and {2}, please.")] public int Quantity { get; set; } = 1;
}

public sealed class VoucherForm
{
    [Required, StringLength(20)] public string? Code { get; set; }
}

public sealed class ReviewForm
{
    [Required, StringLength(40, MinimumLength = 2), Display(Name = "Name")] public string? Author { get; set; }
    [Range(1, 5)] public int Stars { get; set; } = 5;
    [Required, StringLength(1000, MinimumLength = 10), DataType(DataType.MultilineText)] public string? Text { get; set; }
}

public sealed class AddressForm
{
    [Required, StringLength(80), Display(Name = "Name")] public string? Name { get; set; }
    [Required, StringLength(80), Display(Name = "Street")] public string? Street { get; set; }
    [Required, RegularExpression("^[A-Z0-9 -]{3,10}$", ErrorMessage = "This is no postal code."), Display(Name = "Postal code")] public string? PostalCode { get; set; }
    [Required, StringLength(80), Display(Name = "City")] public string? City { get; set; }
    [Required, ServedCountry, Display(Name = "Country")] public string? Country { get; set; } = "DE";

    public Address ToAddress() => new(Name!, Street!, PostalCode!, City!, Country!);
}

public sealed class CheckoutForm : IValidatableObject
{
    [Required, EmailAddress, Display(Name = "E-mail")] public string? Email { get; set; }
    public AddressForm Address { get; set; } = new();
    [Required, Display(Name = "Shipping")] public string? Shipping { get; set; }
    [Required, Display(Name = "Payment")] public string? Payment { get; set; }
    [Display(Name = "I have read the terms")] public bool Terms { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext context)
    {
        if (!Terms) yield return new ValidationResult("Please accept the terms.", [nameof(Terms)]);
    }
}

public sealed class NewsletterForm
{
    [Required, EmailAddress, StringLength(100), Display(Name = "E-mail")] public string? Email { get; set; }
}

public sealed class CultureForm
{
    [Required, RegularExpression("^(en|de)$")] public string? Culture { get; set; }
    public string? ReturnUrl { get; set; }
}
