using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Private keys that the app holds. Loaded, they are numbers in OpenSSL's memory, which no scan can tell from others; so the
/// objects are looked for that stand for them.
/// </summary>
internal static class LiveKeys
{
    /// <summary>The launcher carries lines of up to 65,536 bytes.</summary>
    private const int MostKeys = 100;

    /// <summary>
    /// `{"keys":[{"algorithm":…,"bits":N,"subject":…|null,"holder":…}],"complete":BOOL}`, each key once: with the subject of its
    /// certificate, and the member that holds it. Not complete where the app has more objects than can be looked at.
    /// </summary>
    public static string Describe(AppHost host)
    {
        try
        {
            return Search(host);
        }
#pragma warning disable CA1031 // The app is none the worse for a search that fails, and is told to have more than was seen.
        catch (Exception)
#pragma warning restore CA1031
        {
            return """{"keys":[],"complete":false}""";
        }
    }

    private static string Search(AppHost host)
    {
        ObjectWalk walk = new(Stands);
        bool complete = walk.From(host.Services);
        Dictionary<string, string> keys = [];
        foreach (object found in walk.Found)
        {
            if (Describe(found) is { } key)
            {
                keys.TryAdd(key.Identity, $$"""{"algorithm":{{Json.Text(key.Algorithm)}},"bits":{{key.Bits}},"subject":{{(key.Subject is null ? "null" : Json.Text(key.Subject))}},"holder":{{Json.Text(walk.HolderOf(found))}}}""");
            }
        }

        return $$"""{"keys":{{Json.List(keys.Values.Take(MostKeys))}},"complete":{{(complete ? "true" : "false")}}}""";
    }

    /// <summary>Only the framework's own: another may ask a service for each operation.</summary>
    private static bool Stands(object target) =>
        target is X509Certificate2 || (target is AsymmetricAlgorithm && target.GetType().Assembly == typeof(RSA).Assembly);

    private static (string Identity, string Algorithm, int Bits, string? Subject)? Describe(object found)
    {
        try
        {
            if (found is X509Certificate2 certificate)
            {
                using AsymmetricAlgorithm? key = certificate.HasPrivateKey ? PublicKeyOf(certificate) : null;
                return key is null ? null : (certificate.Thumbprint, AlgorithmOf(key), key.KeySize, Cut(certificate.Subject));
            }

            AsymmetricAlgorithm own = (AsymmetricAlgorithm)found;
            return IsPrivate(own) ? (IdentityOf(own), AlgorithmOf(own), own.KeySize, null) : null;
        }
        catch (Exception error) when (error is CryptographicException or ObjectDisposedException or NotSupportedException)
        {
            // Disposed, or without a key.
            return null;
        }
    }

    private static AsymmetricAlgorithm? PublicKeyOf(X509Certificate2 certificate) =>
        certificate.PublicKey.GetRSAPublicKey() ?? certificate.PublicKey.GetECDsaPublicKey()
        ?? (AsymmetricAlgorithm?)certificate.PublicKey.GetECDiffieHellmanPublicKey();

    /// <summary>Whether it can do what only the private key can. To export it would put the key into the managed heap, too.</summary>
    private static bool IsPrivate(AsymmetricAlgorithm key)
    {
        byte[] nothing = new byte[32];
        switch (key)
        {
            case RSA rsa:
                return rsa.SignHash(nothing, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).Length > 0;
            case ECDsa ec:
                return ec.SignHash(nothing).Length > 0;
            case ECDiffieHellman exchange:
                using (ECDiffieHellmanPublicKey other = exchange.PublicKey)
                {
                    return exchange.DeriveKeyFromHash(other, HashAlgorithmName.SHA256).Length > 0;
                }
            default:
                return false;
        }
    }

    private static string IdentityOf(AsymmetricAlgorithm key) => Convert.ToHexString(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    private static string AlgorithmOf(AsymmetricAlgorithm key) => key switch
    {
        RSA => "RSA",
        ECDsa => "ECDSA",
        ECDiffieHellman => "ECDH",
        _ => key.GetType().Name,
    };

    private static string Cut(string subject) => subject.Length <= 200 ? subject : $"{subject[..200]}…";
}
