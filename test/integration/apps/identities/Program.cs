extern alias NUlidLibrary;

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using DotNetCore.CAP.Internal;
using Identities;
using Microsoft.EntityFrameworkCore;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

// Ids of known libraries, which clones must not share; what a process has of its own; and what waits in queues.
WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
string? carried = Environment.GetEnvironmentVariable("CARRIED");
builder.Services.AddSingleton<ISnowflakeId, SnowflakeId>();
builder.Services.AddDbContext<Shop>(options => options.UseInMemoryDatabase("shop"));
builder.Services.AddSingleton(Channel.CreateUnbounded<Mail>());
builder.Services.AddSingleton<Dice>();
Action<OtlpExporterOptions> exporter = options =>
    (options.Endpoint, options.Protocol) = (new Uri(Environment.GetEnvironmentVariable("COLLECTOR") ?? "http://127.0.0.1:9/"), OtlpExportProtocol.HttpProtobuf);
builder.Services.AddOpenTelemetry()
    .ConfigureResource(resource => resource.AddService("identities").AddAttributes([new("host.name", Environment.MachineName)]))
    .WithTracing(tracing => tracing.AddAspNetCoreInstrumentation().AddOtlpExporter(exporter))
    .WithLogging(logging => logging.AddOtlpExporter(exporter));
// One more, which no service knows.
using TracerProvider own = Sdk.CreateTracerProviderBuilder().AddSource("own").AddOtlpExporter(exporter).Build();
using ActivitySource source = new("own");

WebApplication app = builder.Build();
app.MapGet("/", () => "identities");
app.MapPost("/made", async (ISnowflakeId cap, Shop shop, Dice dice) =>
{
    using Activity? activity = source.StartActivity("made");
    Order order = new();
    shop.Add(order);
    await Task.CompletedTask;
    return new Dictionary<string, object?>
    {
        ["ObjectId"] = MongoDB.Bson.ObjectId.GenerateNewId().ToString(),
        ["AscendingGuid"] = MongoDB.Bson.Serialization.IdGenerators.AscendingGuidGenerator.Instance.GenerateId(null, null),
        ["NewId"] = MassTransit.NewId.NextGuid(),
        ["Ulid"] = Ulid.NewUlid().ToString(),
        ["NUlid"] = NUlidLibrary::NUlid.Ulid.NewUlid().ToString(),
        ["UUIDNext"] = UUIDNext.Uuid.NewSequential(),
        ["Guid7"] = Guid.CreateVersion7(),
        ["CAP"] = cap.NextId(),
        ["HiLo"] = order.Id,
        ["Dice"] = dice.Random.Next(),
        ["Carried"] = carried is null ? null : Worker.NextId(),
    };
});
app.MapGet("/surroundings", () => new
{
    Machine = Environment.MachineName,
    Environment.ProcessId,
    Process.GetCurrentProcess().StartTime,
    Address = Dns.GetHostAddresses(Dns.GetHostName(), AddressFamily.InterNetwork)[0].ToString(),
    Thread = Environment.CurrentManagedThreadId,
    Environment.TickCount64,
});
app.MapGet("/page", () => Results.Text($"<p>hello</p><footer>served by {Environment.MachineName}</footer>", "text/html"));
app.MapPost("/mail", async (Channel<Mail> outbox) =>
{
    // Nobody takes what waits here.
    if (Environment.GetEnvironmentVariable("MAIL") is not null)
    {
        await outbox.Writer.WriteAsync(new Mail("welcome"));
    }
});
app.MapGet("/resource", (TracerProvider provider) => provider.GetResource().Attributes.ToDictionary());
app.Run();

namespace Identities
{
    internal sealed record Mail(string Text);

    internal sealed class Order
    {
        public long Id { get; set; }
    }

    /// <summary>A generator that a service keeps, and that nobody seeded.</summary>
    internal sealed class Dice
    {
        public Random Random { get; } = new();
    }

    /// <summary>Numbers in blocks of 10, each of which begins at a random number as if a database gave it.</summary>
    internal sealed class Blocks(Microsoft.EntityFrameworkCore.ValueGeneration.HiLoValueGeneratorState state)
        : Microsoft.EntityFrameworkCore.ValueGeneration.HiLoValueGenerator<long>(state)
    {
        public override bool GeneratesTemporaryValues => false;

        protected override long GetNewLowValue() => BitConverter.ToInt64(Guid.NewGuid().ToByteArray()) & 0xFFFFFFFFFFF0;
    }

    internal sealed class Shop(DbContextOptions<Shop> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder model) =>
            model.Entity<Order>().Property(order => order.Id).HasValueGenerator((_, _) => new Blocks(new(1000)));
    }

    /// <summary>As apps write it: the number of the worker is drawn once.</summary>
    internal static class Worker
    {
        private static readonly long s_worker = Random.Shared.Next(1024);
        private static long s_last;

        public static long NextId() => (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() << 22) | (s_worker << 12) | (Interlocked.Increment(ref s_last) & 0xFFF);
    }
}
