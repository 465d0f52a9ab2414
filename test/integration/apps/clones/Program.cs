using Clones;
using DotnetSnapshot;
using Microsoft.Extensions.Options;

// Everything in which restored clones must differ, be current, or go on, for a test to ask.
var builder = WebApplication.CreateBuilder(args);
builder.Services.Configure<Greeting>(builder.Configuration);
builder.Services.AddSingleton<Ticks>();
builder.Services.AddHostedService(services => services.GetRequiredService<Ticks>());
builder.Services.AddDataProtection();
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.ListenAnyIP(8080);
    kestrel.ListenAnyIP(8443, listen => listen.UseHttps(Certificate.Make()));
});

var app = builder.Build();
Hooks.Register();
app.Lifetime.ApplicationStopping.Register(() => Console.WriteLine("stopping"));
var changes = 0;
app.Services.GetRequiredService<IOptionsMonitor<Greeting>>().OnChange(_ => Interlocked.Increment(ref changes));

app.MapGet("/", () => "clones");
app.MapGet("/values", Values.Make);
app.MapGet("/surroundings", (IConfiguration configuration, IOptionsMonitor<Greeting> options) => new
{
    Mark = Environment.GetEnvironmentVariable("MARK"),
    OnlyAtBuild = Environment.GetEnvironmentVariable("ONLY_AT_BUILD"),
    Configured = configuration["Mark"],
    Option = options.CurrentValue.Mark,
    FromArgument = configuration["Greeting:Text"],
    Changes = changes,
    Host = Environment.MachineName,
    Zone = TimeZoneInfo.Local.BaseUtcOffset.TotalHours,
    SnapshotInfo.IsRestored,
    SnapshotInfo.Id,
    HookPaths = Hooks.Paths,
});
app.MapGet("/ticks", (Ticks ticks) => ticks.Seen());
app.MapGet("/hooks-ended", () => Hooks.EndedAt);
app.MapGet("/say", () =>
{
    Console.Out.WriteLine("this is stdout");
    Console.Error.WriteLine("this is stderr");
});
// A POST is not sent twice: it shows that no dead connection is taken from the client's pool.
HttpClient client = new();
app.MapGet("/fetch", async (IConfiguration configuration) =>
{
    using var answer = await client.PostAsync(configuration["UPSTREAM"], new StringContent("question"));
    return await answer.Content.ReadAsStringAsync();
});
app.MapPost("/before", () => Hooks.Paths |= 1);
app.MapPost("/after", () => Hooks.Paths |= 2);
app.Run();
return int.Parse(Environment.GetEnvironmentVariable("EXIT_CODE") ?? "0");

/// <summary>Options that follow the environment variable MARK.</summary>
internal sealed class Greeting
{
    public string? Mark { get; set; }
}
