using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Clones;

/// <summary>A certificate of the app's own, for an address that speaks TLS.</summary>
internal static class Certificate
{
    public static X509Certificate2 Make()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=clones", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(365));
    }
}
