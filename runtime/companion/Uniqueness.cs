using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading;
using Microsoft.AspNetCore.DataProtection;

namespace DotnetSnapshot.Companion;

/// <summary>Values that no two clones may have in common, made by this one.</summary>
internal static class Uniqueness
{
    private const int Threads = 4;

    /// <summary>.NET ends the process at the first use of cryptography where an image has no OpenSSL; an app that uses none runs there.</summary>
    private static readonly bool s_hasOpenSsl = Array.Exists(["libssl.so.3", "libssl.so.1.1"], name => NativeLibrary.TryLoad(name, out _));

    public static string Sample(AppHost host)
    {
        List<(string Source, string Value)> values = [];
        // Generators are kept per thread, so several threads are asked.
        using CountdownEvent missing = new(Threads);
        for (int thread = 0; thread < Threads; thread++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                _ =>
                {
                    (string, string)[] own = [.. OfThread()];
                    lock (values)
                    {
                        values.AddRange(own);
                    }

                    missing.Signal();
                },
                null);
        }

        missing.Wait();
        if (host.HasWeb && s_hasOpenSsl)
        {
            AddProtected(host, values);
        }

        return $$"""{"values":{{Json.List(values.Select(value => $$"""{"source":{{Json.Text(value.Source)}},"value":{{Json.Text(value.Value)}}}"""))}}}""";
    }

    private static IEnumerable<(string Source, string Value)> OfThread()
    {
        yield return ("Guid.NewGuid", Guid.NewGuid().ToString());
        yield return ("Random.Shared", $"{Random.Shared.NextInt64():x16}{Random.Shared.NextInt64():x16}");
        yield return ("Path.GetRandomFileName", Path.GetRandomFileName());
        yield return ("ActivityTraceId.CreateRandom", ActivityTraceId.CreateRandom().ToHexString());
        if (!s_hasOpenSsl)
        {
            yield break;
        }

        yield return ("RandomNumberGenerator.GetBytes", Convert.ToHexString(RandomNumberGenerator.GetBytes(16)));
        using Aes aes = Aes.Create();
        yield return ("Aes.Key", Convert.ToHexString(aes.Key));
        yield return ("Aes.IV", Convert.ToHexString(aes.IV));
        using ECDiffieHellman exchange = ECDiffieHellman.Create();
        yield return ("ECDiffieHellman public key", Convert.ToHexString(exchange.ExportSubjectPublicKeyInfo()));
    }

    /// <summary>One text protected in each clone: equal ciphertexts would show an equal key and an equal nonce.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AddProtected(AppHost host, List<(string Source, string Value)> values)
    {
        if (host.Find<IDataProtectionProvider>() is { } provider)
        {
            values.Add(("data protection", provider.CreateProtector("dotnet-snapshot").Protect("unique")));
        }
    }
}
