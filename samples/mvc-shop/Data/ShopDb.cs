using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using MvcShop.Domain;

namespace MvcShop.Data;

public sealed class ShopDb(DbContextOptions<ShopDb> options) : DbContext(options)
{
    public DbSet<Category> Categories => Set<Category>();
    public DbSet<Grower> Growers => Set<Grower>();
    public DbSet<Product> Products => Set<Product>();
    public DbSet<Review> Reviews => Set<Review>();
    public DbSet<Order> Orders => Set<Order>();
    public DbSet<Subscriber> Subscribers => Set<Subscriber>();

    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        conventions.Properties<Money>().HaveConversion<MoneyConverter>();
        conventions.Properties<Sku>().HaveConversion<SkuConverter>();
        conventions.Properties<Leaf>().HaveConversion<string>();
    }

    protected override void OnModelCreating(ModelBuilder model) => model.ApplyConfigurationsFromAssembly(typeof(ShopDb).Assembly);
}

internal sealed class MoneyConverter() : ValueConverter<Money, decimal>(money => money.Amount, amount => new Money(amount));

internal sealed class SkuConverter() : ValueConverter<Sku, string>(sku => sku.Value, text => Sku.Parse(text, null));

internal sealed class CategoryConfiguration : IEntityTypeConfiguration<Category>
{
    public void Configure(EntityTypeBuilder<Category> category) => category.HasIndex(c => c.Slug).IsUnique();
}

internal sealed class GrowerConfiguration : IEntityTypeConfiguration<Grower>
{
    public void Configure(EntityTypeBuilder<Grower> grower) => grower.HasIndex(g => g.Slug).IsUnique();
}

internal sealed class ProductConfiguration : IEntityTypeConfiguration<Product>
{
    public void Configure(EntityTypeBuilder<Product> product)
    {
        product.HasIndex(p => p.Sku).IsUnique();
        product.HasMany(p => p.Tags).WithMany(t => t.Products);
        product.HasMany(p => p.Reviews).WithOne(r => r.Product).IsRequired();
    }
}

internal sealed class ReviewConfiguration : IEntityTypeConfiguration<Review>
{
    public void Configure(EntityTypeBuilder<Review> review) => review.Property(r => r.Text).HasMaxLength(1000);
}

internal sealed class OrderConfiguration : IEntityTypeConfiguration<Order>
{
    public void Configure(EntityTypeBuilder<Order> order)
    {
        order.HasIndex(o => o.Number).IsUnique();
        order.OwnsOne(o => o.Address);
        order.HasMany(o => o.Lines).WithOne().OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class SubscriberConfiguration : IEntityTypeConfiguration<Subscriber>
{
    public void Configure(EntityTypeBuilder<Subscriber> subscriber) => subscriber.HasIndex(s => s.Email).IsUnique();
}
