using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using MvcShop.Data;
using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Features;

public sealed record ReviewView(int Id, string Author, int Stars, string Text, DateTimeOffset WrittenAt);
public sealed record RatingSummary(int Count, double Average, IReadOnlyDictionary<int, int> ByStars);
public sealed record WrittenReview(int Id, string Key);

public sealed record ListReviews(Sku Sku) : IQuery<IReadOnlyList<ReviewView>>;
public sealed record SummarizeRatings(Sku Sku) : IQuery<RatingSummary>;
public sealed record AddReview(Sku Sku, string Author, int Stars, string Text) : ICommand<WrittenReview>;
public sealed record DeleteReview(int Id, string Key) : ICommand<bool>;

internal sealed class ListReviewsHandler(ShopDb db) : IHandler<ListReviews, IReadOnlyList<ReviewView>>
{
    public async Task<IReadOnlyList<ReviewView>> Handle(ListReviews query, CancellationToken cancel) =>
        await db.Reviews.Where(r => r.Product.Sku == query.Sku).OrderByDescending(r => r.WrittenAt).Take(20)
            .Select(r => new ReviewView(r.Id, r.Author, r.Stars, r.Text, r.WrittenAt)).ToListAsync(cancel);
}

internal sealed class SummarizeRatingsHandler(ShopDb db) : IHandler<SummarizeRatings, RatingSummary>
{
    public async Task<RatingSummary> Handle(SummarizeRatings query, CancellationToken cancel)
    {
        var counts = await db.Reviews.Where(r => r.Product.Sku == query.Sku)
            .GroupBy(r => r.Stars).Select(g => new { Stars = g.Key, Count = g.Count() })
            .ToDictionaryAsync(g => g.Stars, g => g.Count, cancel);
        var total = counts.Values.Sum();
        var average = total == 0 ? 0 : counts.Sum(c => c.Key * c.Value) / (double)total;
        return new RatingSummary(total, average, Enumerable.Range(1, 5).ToDictionary(stars => stars, stars => counts.GetValueOrDefault(stars)));
    }
}

internal sealed class ReviewedProductExists(ShopDb db) : IRule<AddReview>
{
    public async IAsyncEnumerable<Violation> Check(AddReview command, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (!await db.Products.AnyAsync(p => p.Sku == command.Sku, cancel)) yield return new(nameof(command.Sku), "There is no such tea.");
    }
}

internal sealed class ReviewIsPolite : IRule<AddReview>
{
    public async IAsyncEnumerable<Violation> Check(AddReview command, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        if (command.Text == command.Text.ToUpperInvariant()) yield return new(nameof(command.Text), "Please don't shout.");
    }
}

internal sealed class AddReviewHandler(ShopDb db, IEventBus events, TimeProvider clock) : IHandler<AddReview, WrittenReview>
{
    public async Task<WrittenReview> Handle(AddReview command, CancellationToken cancel)
    {
        var review = new Review
        {
            Product = await db.Products.FirstAsync(p => p.Sku == command.Sku, cancel),
            Author = command.Author, Stars = command.Stars, Text = command.Text, WrittenAt = clock.GetUtcNow(), Key = Unguessable.Key(),
        };
        db.Reviews.Add(review);
        await db.SaveChangesAsync(cancel);
        await events.Publish(new ReviewWritten(command.Sku, command.Stars), cancel);
        return new WrittenReview(review.Id, review.Key);
    }
}

internal sealed class DeleteReviewHandler(ShopDb db, IEventBus events) : IHandler<DeleteReview, bool>
{
    public async Task<bool> Handle(DeleteReview command, CancellationToken cancel)
    {
        var review = await db.Reviews.Include(r => r.Product).FirstOrDefaultAsync(r => r.Id == command.Id && r.Key == command.Key, cancel);
        if (review is null) return false;
        db.Reviews.Remove(review);
        await db.SaveChangesAsync(cancel);
        await events.Publish(new ReviewDeleted(review.Product.Sku), cancel);
        return true;
    }
}
