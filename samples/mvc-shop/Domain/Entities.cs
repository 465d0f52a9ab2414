using System.Security.Cryptography;

namespace MvcShop.Domain;

/// <summary>What every stored thing has.</summary>
public abstract class Entity
{
    public int Id { get; private set; }
}

public sealed class Category : Entity
{
    public required string Slug { get; init; }
    public required string Name { get; init; }
    public List<Product> Products { get; } = [];
}

public sealed class Grower : Entity
{
    public required string Slug { get; init; }
    public required string Name { get; init; }
    public required string Country { get; init; }
    public required string Story { get; init; }
    public List<Product> Products { get; } = [];
}

public sealed class Tag : Entity
{
    public required string Name { get; init; }
    public List<Product> Products { get; } = [];
}

public sealed class Product : Entity
{
    public required Sku Sku { get; init; }
    public required string Name { get; init; }
    public required string Description { get; init; }
    public required Leaf Leaf { get; init; }
    public required int Grams { get; init; }
    public required Money Price { get; init; }
    public required Category Category { get; init; }
    public required Grower Grower { get; init; }
    public List<Tag> Tags { get; init; } = [];
    public List<Review> Reviews { get; } = [];
    public int Stock { get; private set; }
    public double Rating { get; private set; }
    public bool Clearance { get; init; }

    public void PutInStock(int pieces) => Stock += pieces;
    public void TakeFromStock(int pieces) => Stock = Math.Max(0, Stock - pieces);
    public void Rate(double rating) => Rating = Math.Round(rating, 1);
}

public sealed class Review : Entity
{
    public required Product Product { get; init; }
    public required string Author { get; init; }
    public required string Text { get; init; }
    public required int Stars { get; init; }
    public required DateTimeOffset WrittenAt { get; init; }
    /// <summary>Only who knows it may delete the review.</summary>
    public required string Key { get; init; }
}

public sealed class Order : Entity
{
    public required string Number { get; init; }
    public required string Email { get; init; }
    public required Address Address { get; init; }
    public required string Shipping { get; init; }
    public required string Payment { get; init; }
    public required Money Total { get; init; }
    public required DateTimeOffset PlacedAt { get; init; }
    public List<OrderLine> Lines { get; init; } = [];
}

public sealed class OrderLine : Entity
{
    public required Sku Sku { get; init; }
    public required string Name { get; init; }
    public required int Quantity { get; init; }
    public required Money Price { get; init; }
}

public sealed class Subscriber : Entity
{
    public required string Email { get; init; }
    public required string Key { get; init; }
}

/// <summary>Owned by an order.</summary>
public sealed record Address(string Name, string Street, string PostalCode, string City, string Country);

/// <summary>Names that can't be guessed, for what is reached without an account.</summary>
public static class Unguessable
{
    public static string Key() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
}
