namespace Risks.Library;

/// <summary>A library of the app's own: `check` looks at it too.</summary>
public static class Catalogue
{
#if !HARMLESS
    private static readonly Lazy<Random> s_shuffle = new();
#endif

    public static string[] Names { get; } = ["tea", "pots"];
}
