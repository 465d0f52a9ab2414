// One app that is reached, or not, as variables say: LISTEN is http, h2c, https, loopback, unix or nothing.
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

string listen = Environment.GetEnvironmentVariable("LISTEN") ?? "http";
int port = int.Parse(Environment.GetEnvironmentVariable("LISTEN_PORT") ?? "8080");

if (listen == "nothing")
{
    // A worker: no server, only work.
    HostApplicationBuilder worker = Host.CreateApplicationBuilder(args);
    worker.Services.AddHostedService<Work>();
    worker.Build().Run();
    return;
}

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    if (listen == "unix")
    {
        kestrel.ListenUnixSocket("/tmp/reach.sock");
        return;
    }

    kestrel.Listen(listen == "loopback" ? IPAddress.Loopback : IPAddress.Any, port, options =>
    {
        options.Protocols = listen == "h2c" ? HttpProtocols.Http2 : HttpProtocols.Http1AndHttp2;
        if (listen == "https")
        {
            options.UseHttps(MakeCertificate());
        }
    });
});
WebApplication app = builder.Build();
if (Environment.GetEnvironmentVariable("REDIRECT") is not null)
{
    app.Use((context, next) =>
    {
        if (context.Request.IsHttps)
        {
            return next();
        }

        context.Response.Redirect($"https://{context.Request.Host.Host}{context.Request.Path}", permanent: false, preserveMethod: true);
        return Task.CompletedTask;
    });
}

int drained = 0, joined = 0;
app.MapGet("/", (HttpContext context) => $"{context.Request.Protocol} {context.Request.Scheme} {context.Request.Host}");
app.MapGet("/hooks", () => $"drained {drained} joined {joined}");
app.MapPost("/drain", () => { drained++; });
app.MapPost("/join", () => { joined++; });
app.MapGet("/boom", () => Results.StatusCode(500));
app.MapGet("/sick", () => Results.Text("the database is asleep", statusCode: 503));
app.MapGet("/events", async (HttpContext context) =>
{
    context.Response.ContentType = "text/event-stream";
    while (!context.RequestAborted.IsCancellationRequested)
    {
        await context.Response.WriteAsync("data: tick\n\n");
        await context.Response.Body.FlushAsync();
        await Task.Delay(100, context.RequestAborted).ContinueWith(_ => { });
    }
});
app.Run();

static X509Certificate2 MakeCertificate()
{
    using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    CertificateRequest request = new("CN=somebody.example", key, HashAlgorithmName.SHA256);
    using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
}

internal sealed class Work(ILogger<Work> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        await Task.Delay(1000, stopping);
        log.LogInformation("ready for work");
        for (int count = 1; ; count++)
        {
            await File.WriteAllTextAsync("/tmp/alive", "yes", stopping);
            await Task.Delay(500, stopping);
            Console.WriteLine($"worked {count} times");
        }
    }
}
