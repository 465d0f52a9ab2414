using System.Security.Cryptography;
using Risks.Library;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddHostedService<Job>();
var app = builder.Build();
app.MapGet("/", () => $"hello {Catalogue.Names.Length}");
// One key that signs, which only OpenSSL's memory holds, and one that can only check.
using ECDsa somebody = ECDsa.Create(ECCurve.NamedCurves.nistP256);
#if !HARMLESS
RSA signing = RSA.Create(2048);
app.MapGet("/sign", () => signing.SignData("hello"u8, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
#endif
ECDsa trusted = ECDsa.Create();
trusted.ImportSubjectPublicKeyInfo(somebody.ExportSubjectPublicKeyInfo(), out _);
app.MapGet("/check", () => trusted.VerifyData("hello"u8, new byte[64], HashAlgorithmName.SHA256));
app.Run();
