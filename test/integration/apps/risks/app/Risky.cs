using System.Security.Cryptography;
// Only its metadata is looked at; nothing here is used, nor has to be.
#pragma warning disable CS0169, CS0414, CS0649, CA1823, CA1852, IDE0051, IDE0052
#if !HARMLESS
internal sealed class Risky
{
    private static readonly Random s_random = new();
    private static readonly HttpClient s_client = new();
    private static readonly byte[] s_hmacKey = new byte[32];
    private static readonly RSA? s_signing;
    private static readonly DateTime s_started = DateTime.UtcNow;
    private static readonly Timer? s_timer;
    private static readonly int s_workerId = Random.Shared.Next(1024);

    [ThreadStatic]
    private static Random? t_random;

    internal static Guid Instance { get; } = Guid.NewGuid();

    internal static class Nested<T>
    {
        internal static DateTimeOffset? Seen;
    }
}
#endif

/// <summary>As harmless as it looks: constants, values of one instance, bytes that are no key, a closure's captured Random.</summary>
internal sealed class Harmless
{
    private const string Key = "not a key";
    private static readonly byte[] s_derived = [1, 2, 3];
    private static readonly int s_workers = 4;
    private static readonly Dictionary<Guid, string> s_byId = [];
    private readonly Random _random = new();
    private readonly Timer? _timer;

    internal static Func<int> Roll()
    {
        Random captured = new();
        return () => captured.Next();
    }
}

/// <summary>Looking at it must not run this: the app would end.</summary>
internal static class Untouched
{
    private static readonly string s_never = End();

    private static string End()
    {
        Environment.Exit(9);
        return "";
    }
}
