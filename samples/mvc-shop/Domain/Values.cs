using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace MvcShop.Domain;

/// <summary>An amount in euro, never with fractions of a cent.</summary>
[JsonConverter(typeof(MoneyJson))]
public readonly record struct Money : IComparable<Money>, IFormattable
{
    public static readonly Money Zero = new(0);

    public Money(decimal amount) => Amount = Math.Round(amount, 2, MidpointRounding.ToEven);

    public decimal Amount { get; }

    public static Money operator +(Money a, Money b) => new(a.Amount + b.Amount);
    public static Money operator -(Money a, Money b) => new(a.Amount - b.Amount);
    public static Money operator -(Money a) => new(-a.Amount);
    public static Money operator *(Money a, decimal factor) => new(a.Amount * factor);
    public static bool operator <(Money a, Money b) => a.Amount < b.Amount;
    public static bool operator >(Money a, Money b) => a.Amount > b.Amount;
    public static bool operator <=(Money a, Money b) => a.Amount <= b.Amount;
    public static bool operator >=(Money a, Money b) => a.Amount >= b.Amount;

    public static Money Min(Money a, Money b) => a < b ? a : b;
    public static Money Max(Money a, Money b) => a > b ? a : b;
    public int CompareTo(Money other) => Amount.CompareTo(other.Amount);

    public override string ToString() => ToString(null, CultureInfo.CurrentUICulture);

    /// <summary>As each of the shop's languages writes it: €4.20 or 4,20 €.</summary>
    public string ToString(string? format, IFormatProvider? provider)
    {
        var digits = Math.Abs(Amount).ToString(format ?? "0.00", CultureInfo.InvariantCulture);
        var sign = Amount < 0 ? "-" : "";
        return provider is CultureInfo { Name: "de" }
            ? $"{sign}{digits.Replace('.', ',')} €"
            : $"{sign}€{digits}";
    }
}

/// <summary>The number a product is known by, such as TEA-0042.</summary>
[JsonConverter(typeof(SkuJson))]
public readonly partial record struct Sku : IParsable<Sku>
{
    private Sku(string value) => Value = value;

    public string Value { get; }

    public static Sku Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var sku) ? sku : throw new FormatException($"'{s}' is no article number.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Sku result)
    {
        var valid = s is not null && Pattern.IsMatch(s);
        result = valid ? new Sku(s!.ToUpperInvariant()) : default;
        return valid;
    }

    public override string ToString() => Value ?? "";

    [GeneratedRegex("^[A-Za-z]{3}-[0-9]{4}$")]
    private static partial Regex Pattern { get; }
}

public enum Leaf { Black, Green, White, Oolong, Herbal }

public enum Sorting { Name, Price, PriceDescending, Rating }

public sealed class MoneyJson : JsonConverter<Money>
{
    public override Money Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(reader.GetDecimal());
    public override void Write(Utf8JsonWriter writer, Money value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Amount);
}

public sealed class SkuJson : JsonConverter<Sku>
{
    public override Sku Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        Sku.TryParse(reader.GetString(), null, out var sku) ? sku : throw new JsonException("An article number looks like TEA-0042.");

    public override void Write(Utf8JsonWriter writer, Sku value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}
