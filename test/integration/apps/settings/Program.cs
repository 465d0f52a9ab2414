using Microsoft.Extensions.Options;
using Settings;

// Settings in all the ways in which apps read them, for tests to change in production.
var builder = WebApplication.CreateBuilder(args);
builder.Configuration.AddKeyPerFile("/run/secrets", optional: true);
builder.Configuration.AddJsonFile("/config/extra.json", optional: true, reloadOnChange: false);
if (builder.Configuration["PORT"] is { } port)
{
    builder.WebHost.UseUrls($"http://*:{port}");
}

var title = builder.Configuration["Title"] ?? "none";
var limits = builder.Configuration.GetSection("Limits").Get<Limits>() ?? new Limits();
var connection = builder.Configuration.GetConnectionString("Db") ?? "none";
var workers = int.Parse(Environment.GetEnvironmentVariable("WORKERS") ?? "1");
var region = Read.From("REGION", "nowhere");
var own = new ConfigurationBuilder().AddEnvironmentVariables("OWN_").Build();
var licensed = File.Exists("/license/license.txt");
var zone = Environment.GetEnvironmentVariable("ZONE") ?? "build";
var feature = builder.Configuration["Feature:On"] ?? "none";

var other = Host.CreateApplicationBuilder(args);
using var second = other.Build();
second.Start();

builder.Services.AddSingleton(new Captured(own));
builder.Services.Configure<Limits>(limits => limits.Key = builder.Configuration["Jwt:Key"]);
builder.Services.AddScoped(_ => new Scoped(builder.Configuration["Followed"]));
builder.Services.AddHostedService<Renewal>();
var app = builder.Build();
app.UseStaticFiles();
app.MapGet("/", () => "settings");
app.MapGet("/seen", (IConfiguration configuration, Captured captured, Scoped scoped, IOptionsMonitor<Limits> options) => new
{
    options.CurrentValue.Key,
    OfScope = scoped.Value,
    Title = title,
    limits.Most,
    Connection = connection,
    Workers = workers,
    Region = region,
    Licensed = licensed,
    Zone = zone,
    Feature = feature,
    Secret = configuration["Api:Key"],
    Extra = configuration["Extra"],
    Each = Environment.GetEnvironmentVariable("EACH"),
    Own = own["Name"],
    OfField = captured.Configuration["Name"],
    OfStatic = Read.Configuration["Name"],
    OfSecond = second.Services.GetRequiredService<IConfiguration>()["Followed"],
    Followed = configuration["Followed"],
    Endpoint = Sdk.Endpoint,
});
app.MapGet("/hidden", () => Hidden.Value);
app.MapGet("/renewed", () => Renewal.At);
app.Run();

namespace Settings
{
    /// <summary>What a method hands on, and a configuration that no host knows.</summary>
    internal static class Read
    {
        public static readonly IConfigurationRoot Configuration = new ConfigurationBuilder().AddEnvironmentVariables("OWN_").Build();

        public static string From(string name, string fallback) => Environment.GetEnvironmentVariable(name) ?? fallback;
    }

    internal sealed record Captured(IConfiguration Configuration);

    internal sealed record Scoped(string? Value);

    internal sealed class Limits
    {
        public string? Key { get; set; }

        public int Most { get; set; } = 10;
    }

    /// <summary>As libraries for telemetry do: once, by a name in a constant.</summary>
    internal static class Sdk
    {
        private static readonly string[] Names = ["OTEL_EXPORTER_OTLP_ENDPOINT"];

        public static readonly string? Endpoint = Names.Select(Environment.GetEnvironmentVariable).FirstOrDefault();
    }

    /// <summary>A setting whose name no code tells.</summary>
    internal static class Hidden
    {
        public static readonly string Value = Environment.GetEnvironmentVariable(string.Concat("HID", new string("NED".Reverse().ToArray()))) ?? "none";
    }

    /// <summary>Renews something after 40 s, and then after an hour.</summary>
    internal sealed class Renewal : BackgroundService
    {
        /// <summary>Unix times in milliseconds.</summary>
        public static List<long> At { get; } = [];

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            for (int seconds = 40; ; seconds = 3600)
            {
                await Task.Delay(TimeSpan.FromSeconds(seconds), stoppingToken);
                At.Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            }
        }
    }
}
