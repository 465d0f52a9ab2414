using System.Security.Cryptography;

// Holds LIVE_MB mebibytes of random bytes, made before the first request is answered: of each two mebibytes, one is a
// large object and one is 64 small ones, so that both heaps of the GC have half of it.
int megabytes = int.Parse(Environment.GetEnvironmentVariable("LIVE_MB") ?? "10");
List<byte[]> blocks = Make(megabytes);
string atStart = Checksum(blocks);

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
WebApplication app = builder.Build();
app.MapGet("/", () => "large");
app.MapGet("/checksum", () =>
{
    // The GC follows every reference first.
    GC.Collect();
    return new { Bytes = blocks.Sum(block => (long)block.Length), AtStart = atStart, Now = Checksum(blocks) };
});
app.Run();

static List<byte[]> Make(int megabytes)
{
    const int mebibyte = 1 << 20;
    const int small = mebibyte / 64;
    Random random = new(1);
    List<byte[]> blocks = [];
    for (long left = (long)megabytes * mebibyte; left > 0;)
    {
        int size = blocks.Count % 65 == 0 ? mebibyte : small;
        byte[] block = new byte[Math.Min(size, left)];
        random.NextBytes(block);
        blocks.Add(block);
        left -= block.Length;
    }

    return blocks;
}

static string Checksum(List<byte[]> blocks)
{
    using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    foreach (byte[] block in blocks)
    {
        hash.AppendData(block);
    }

    return Convert.ToHexString(hash.GetHashAndReset());
}
