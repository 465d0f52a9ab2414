using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

// Made once, at the start: a restored app must still have it.
var born = Guid.NewGuid();
long requests = 0, ticks = 0;

var app = WebApplication.CreateSlimBuilder(args).Build();
app.Use(next => context =>
{
    Interlocked.Increment(ref requests);
    return next(context);
});

// A wait with a deadline of the monotonic clock, again and again.
var never = new ManualResetEventSlim();
new Thread(() =>
{
    while (!never.Wait(500)) Interlocked.Increment(ref ticks);
}) { IsBackground = true, Name = "ticker" }.Start();

app.MapGet("/healthz", () => "ok");
app.MapGet("/state", () => $"born {born} requests {requests}");
app.MapGet("/ticks", async () =>
{
    var before = Interlocked.Read(ref ticks);
    for (var i = 0; i < 100 && Interlocked.Read(ref ticks) < before + 2; i++) await Task.Delay(100);
    return Interlocked.Read(ref ticks) >= before + 2 ? "the waiting thread wakes" : "the waiting thread sleeps on";
});
// Signals: of the hardware, whose handler unwinds from it, and an exception through many frames.
app.MapGet("/fault", () =>
{
    var caught = 0;
    for (var i = 0; i < 20; i++)
    {
        try { Length(i % 2 == 0 ? null : Divide(i, 0).ToString()); }
        catch (NullReferenceException) { caught++; }
        catch (DivideByZeroException) { caught++; }
    }
    return $"caught {caught}";
});
// Integer, vector and floating-point registers, native libraries.
app.MapGet("/compute", () =>
{
    var bytes = new byte[200_000];
    for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(i * 31 >> 3);
    using var packed = new MemoryStream();
    using (var deflate = new DeflateStream(packed, CompressionLevel.Fastest, true)) deflate.Write(bytes);
    packed.Position = 0;
    using var unpacked = new MemoryStream();
    using (var inflate = new DeflateStream(packed, CompressionMode.Decompress)) inflate.CopyTo(unpacked);
    var sum = Enumerable.Range(1, 1000).Sum(i => Math.Sqrt(i) * Math.Sin(i));
    return $"{Convert.ToHexString(SHA256.HashData(unpacked.ToArray()))[..16]} {sum:F9}";
});
// The GC stops all threads, old and new.
app.MapGet("/collect", () =>
{
    var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
    {
        for (var i = 0; i < 2000; i++) GC.KeepAlive(new byte[i]);
    })).ToList();
    threads.ForEach(thread => thread.Start());
    for (var i = 0; i < 3; i++) GC.Collect();
    threads.ForEach(thread => thread.Join());
    return "collected";
});
// The vdso: both clocks go on, and agree.
app.MapGet("/clock", () =>
{
    var (wall, watch) = (DateTime.UtcNow, Stopwatch.StartNew());
    Thread.Sleep(200);
    var difference = Math.Abs((DateTime.UtcNow - wall - watch.Elapsed).TotalMilliseconds);
    return watch.ElapsedMilliseconds is >= 190 and < 5000 && difference < 100 && DateTime.UtcNow.Year > 2000 ? "in step" : $"off by {difference} ms";
});
app.MapGet("/random", () => RandomNumberGenerator.GetHexString(16) != RandomNumberGenerator.GetHexString(16) ? "differs" : "the same");
app.Lifetime.ApplicationStopping.Register(() => Console.WriteLine("app: stopping"));
app.Run();
Console.WriteLine("app: ended by itself");

[MethodImpl(MethodImplOptions.NoInlining)]
static int Length(string? text) => text!.Length;

[MethodImpl(MethodImplOptions.NoInlining)]
static int Divide(int a, int b) => a / b;
