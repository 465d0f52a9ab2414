using System.Collections;
using System.IO.Compression;
using System.Numerics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

// Says what .NET, the C library and OpenSSL take the CPU for.
var app = WebApplication.CreateBuilder(args).Build();
app.MapGet("/", () => "isa");
app.MapGet("/isa", () => new
{
    Supported = Supported(),
    VectorBytes = Vector<byte>.Count,
    Memcpy = Memcpy(),
    OpenSsl = Marshal.PtrToStringUTF8(OpenSsl.OPENSSL_info(OpenSsl.CpuSettings)),
});
app.MapGet("/variables", () => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}"));
app.MapGet("/zip", () =>
{
    using MemoryStream zipped = new();
    using (GZipStream zip = new(zipped, CompressionLevel.Optimal, leaveOpen: true))
    {
        zip.Write(new byte[100_000]);
    }

    return zipped.Length;
});
app.Run();

// The names of the classes of instructions, such as Avx2 and Avx512F.
static IEnumerable<string> Supported() =>
    from type in typeof(Vector128).Assembly.GetTypes()
    where type.Namespace == "System.Runtime.Intrinsics.X86" && !type.IsNested
    let supported = type.GetProperty("IsSupported", BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
    where supported?.GetValue(null) is true
    orderby type.Name
    select type.Name;

// The first bytes of the function that the C library has chosen, in hex.
static unsafe string Memcpy() =>
    Convert.ToHexString(new ReadOnlySpan<byte>((void*)NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "memcpy"), 64));

internal static class OpenSsl
{
    public const int CpuSettings = 1008;

    [DllImport("libcrypto.so.3")]
    public static extern nint OPENSSL_info(int kind);
}
