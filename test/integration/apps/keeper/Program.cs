using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

// An app that keeps what it is told, as caches and sessions do: a snapshot of it holds a secret from every source.
var builder = WebApplication.CreateBuilder(args);
var app = builder.Build();
ConcurrentDictionary<string, object> kept = new();
kept["mail"] = app.Configuration.GetSection("Mail").Get<Mail>()!;

if (app.Configuration["MODE"] == "crash")
{
    // As drivers do it, who quote the connection string that they were given.
    throw new InvalidOperationException($"Can't log in to the mail server: {kept["mail"]}");
}

if (app.Configuration["MODE"] == "tell")
{
    app.Logger.LogWarning("Started with {Mail}", kept["mail"]);
}

app.MapGet("/healthz", () => "ok");
app.MapGet("/account", (HttpRequest request) =>
{
    kept["authorization"] = request.Headers.Authorization.ToString();
    kept["key"] = request.Headers["X-Api-Key"].ToString();
    kept["cookies"] = request.Cookies.ToDictionary();
    return new { Name = "J. Doe" };
});
app.MapPost("/login", (Login login) =>
{
    kept["login"] = login;
    var token = TokenFor(login.Nonce);
    kept["token"] = token;
    return new { Token = token };
});
app.MapPost("/form", async (HttpRequest request) =>
{
    kept["form"] = (await request.ReadFormAsync()).ToDictionary();
    return "thanks";
});
app.MapGet("/started", () => new
{
    // A clone that is verified has another value of it than the app had; then both answers are shown.
    Note = app.Configuration["MODE"] == "differ" ? $"{kept["mail"]} with {Environment.GetEnvironmentVariable("DOTNET_SNAPSHOT")}" : $"{kept["mail"]}",
});
app.Run();
GC.KeepAlive(kept);

// A token that only this app has made. The test can make the same from the nonce, to look for it.
static string TokenFor(string nonce)
{
    var header = Encode(JsonSerializer.SerializeToUtf8Bytes(new { alg = "HS256", typ = "JWT" }));
    var claims = Encode(JsonSerializer.SerializeToUtf8Bytes(new { sub = "1000", jti = nonce }));
    return $"{header}.{claims}.{Encode(SHA256.HashData(Encoding.UTF8.GetBytes($"answer {nonce}")))}";
}

static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

internal sealed record Mail(string Host, string Password);

internal sealed record Login(string User, string Password, string Nonce);
