using System.Runtime.CompilerServices;

namespace Kinds;

/// <summary>One kind of thing that a process can have. Its constructor makes the thing.</summary>
internal abstract class Kind(string name)
{
    public string Name { get; } = name;

    /// <summary>Uses the thing and leaves it as it was. Throws where something is wrong with it.</summary>
    public abstract void Check();

    /// <summary>What only makes sense right before the checkpoint.</summary>
    public virtual void BeforeCheckpoint()
    {
    }

    /// <summary>Looks at what can only be seen right after the restore. Throws where it is wrong.</summary>
    public virtual void AfterRestore()
    {
    }
}

/// <summary>What is wrong with a thing.</summary>
internal sealed class WrongException(string problem) : Exception(problem);

/// <summary>What a check expects; throws where it is not so.</summary>
internal static class Expect
{
    public static void That(bool holds, [CallerArgumentExpression(nameof(holds))] string what = "")
    {
        if (!holds)
        {
            throw new WrongException($"not so: {what}");
        }
    }

    public static void Equal<T>(T expected, T actual, [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new WrongException($"{what} is {actual} instead of {expected}");
        }
    }

    public static void Same(
        ReadOnlySpan<byte> expected,
        ReadOnlySpan<byte> actual,
        [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        Equal(expected.Length, actual.Length, $"the length of {what}");
        int common = expected.CommonPrefixLength(actual);
        if (common < expected.Length)
        {
            throw new WrongException($"byte {common} of {what} is {actual[common]} instead of {expected[common]}");
        }
    }

    public static void Throws<TException>(Action action, [CallerArgumentExpression(nameof(action))] string what = "")
        where TException : Exception
    {
        try
        {
            action();
        }
        catch (TException)
        {
            return;
        }

        throw new WrongException($"no {typeof(TException).Name} from {what}");
    }
}

/// <summary>Content to recognise: the same wherever it is made, and no page of it like another.</summary>
internal static class Pattern
{
    public static byte[] Of(int bytes, int seed = 1)
    {
        byte[] content = new byte[bytes];
        for (int at = 0; at < bytes; at++)
        {
            content[at] = (byte)(at + (at >> 8) + (at >> 16) + seed);
        }

        return content;
    }
}
