using System.Text;

// Takes secrets in every part of a request, and passes them on in every way in which buffers keep them.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true);
var app = builder.Build();
// An app that looks at its key when it starts.
if (app.Configuration["Jwt:SigningKey"] is { } key && Convert.FromBase64String(key).Length != 32)
{
    throw new InvalidOperationException("The signing key must have 256 bits.");
}

HttpClient client = new();

app.MapGet("/", () => "leftovers");
app.MapGet("/header", (HttpContext context, ILogger<Program> log) =>
{
    var secret = context.Request.Headers["X-Secret"].ToString();
    log.LogInformation("asked with {Secret}", secret);
    context.Response.Headers["X-Answer"] = secret;
    return new { Secret = secret, Repeated = string.Concat(Enumerable.Repeat($"{secret}\n", 100)) };
});
app.MapPost("/json", (Login login) => new { Echo = login with { User = login.User.ToUpperInvariant() } });
app.MapPost("/form", async (HttpContext context) => (await context.Request.ReadFormAsync())["secret"].ToString());
app.MapPost("/text", async (HttpContext context) =>
{
    using StreamReader reader = new(context.Request.Body, Encoding.UTF8);
    return (await reader.ReadToEndAsync()).Length;
});
// As Kestrel's pools do from .NET 10 on: a pinned block is let go of, between others that stay.
List<byte[]> staying = [];
app.MapGet("/pinned", (HttpContext context) =>
{
    var leaving = GC.AllocateUninitializedArray<byte>(4096, pinned: true);
    Encoding.UTF8.GetBytes(context.Request.Headers["X-Secret"].ToString(), leaving.AsSpan(1000));
    lock (staying)
    {
        staying.Add(GC.AllocateArray<byte>(100, pinned: true));
    }

    return leaving[999];
});
// A buffer that is still in use at the first checkpoint, and no longer at the second.
var used = "";
var checkpoints = 0;
app.MapGet("/kept", (HttpContext context) => used = context.Request.Headers["X-Secret"].ToString());
app.MapPost("/before", () =>
{
    if (++checkpoints > 1)
    {
        used = "";
    }
});
app.MapGet("/query", (string secret) => secret.Length);
app.MapGet("/inner", (HttpContext context) => context.Request.Headers["X-Secret"].ToString());
app.MapGet("/outer", async (HttpContext context) =>
{
    using HttpRequestMessage request = new(HttpMethod.Get, $"http://127.0.0.1:{context.Connection.LocalPort}/inner");
    request.Headers.Add("X-Secret", context.Request.Headers["X-Secret"].ToString());
    using var answer = await client.SendAsync(request);
    return await answer.Content.ReadAsStringAsync();
});
app.MapGet("/keys", (IConfiguration configuration) => new { Signing = configuration["Jwt:SigningKey"], Payments = configuration["Payments:ApiKey"] });
app.Run();

/// <summary>A body with a secret in it.</summary>
internal sealed record Login(string User, string Password);
