using System.Collections.Concurrent;
using MvcShop.Domain;

namespace MvcShop.Features;

public sealed record Activity(string Event, DateTimeOffset At);

/// <summary>The latest happenings; old ones fall out.</summary>
public sealed class ActivityLog
{
    private const int Capacity = 200;
    private readonly ConcurrentQueue<Activity> activities = new();

    public void Add(Activity activity)
    {
        activities.Enqueue(activity);
        while (activities.Count > Capacity) activities.TryDequeue(out _);
    }

    public IReadOnlyList<Activity> Latest(int count) => [.. activities.Reverse().Take(count)];
}

/// <summary>What is searched for and bought most.</summary>
public sealed class Popularity
{
    private const int MaxTerms = 500;
    private readonly ConcurrentDictionary<string, int> searched = new();
    private readonly ConcurrentDictionary<string, int> bought = new();

    public void CountSearch(string text)
    {
        if (searched.Count < MaxTerms || searched.ContainsKey(text)) searched.AddOrUpdate(text, 1, (_, count) => count + 1);
    }

    public void CountSale(string name, int pieces) => bought.AddOrUpdate(name, pieces, (_, count) => count + pieces);

    public IReadOnlyDictionary<string, int> Searched(int count) => Top(searched, count);
    public IReadOnlyDictionary<string, int> Bought(int count) => Top(bought, count);

    private static Dictionary<string, int> Top(ConcurrentDictionary<string, int> counts, int count) =>
        counts.ToArray().OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(count).ToDictionary();
}

/// <summary>What the current visitor looked at last.</summary>
public interface IVisitorMemory
{
    IReadOnlyList<Sku> Recent { get; }
    void Remember(Sku sku);
}
