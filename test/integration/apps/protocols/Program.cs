using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Runtime;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.SignalR;
using OpenTelemetry.Exporter;
using OpenTelemetry.Trace;
using Protocols;

// What an app speaks beside HTTP/1.1 on 8080: HTTP/2 without TLS on 8081, TLS on 8443.
WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(server =>
{
    server.ListenAnyIP(8080, options => options.Protocols = HttpProtocols.Http1);
    server.ListenAnyIP(8081, options => options.Protocols = HttpProtocols.Http2);
    server.ListenAnyIP(8443, options => options.UseHttps(MadeAtStart()));
});
builder.Services.AddSignalR();
builder.Services.AddRazorComponents().AddInteractiveServerComponents();
builder.Services.AddSingleton<Ticks>().AddHostedService(services => services.GetRequiredService<Ticks>());
builder.Services.AddOpenTelemetry().WithTracing(tracing =>
{
    tracing.AddAspNetCoreInstrumentation();
    if (Environment.GetEnvironmentVariable("COLLECTOR") is { } collector)
    {
        tracing.AddOtlpExporter(options => (options.Endpoint, options.Protocol) = (new Uri(collector), OtlpExportProtocol.HttpProtobuf));
    }
});

WebApplication app = builder.Build();
app.UseWebSockets();
app.UseAntiforgery();
app.MapGet("/", () => "protocols");
app.MapGet("/state", (Ticks ticks) => new
{
    Ticks = ticks.Count,
    ServerGc = GCSettings.IsServerGC,
    TraceId = Activity.Current?.TraceId.ToHexString(),
});
app.MapHub<EchoHub>("/hub");
app.MapRazorComponents<App>().AddInteractiveServerRenderMode();

app.MapGet("/events", async (HttpResponse response, CancellationToken end) =>
{
    response.ContentType = "text/event-stream";
    for (int number = 1; number <= 3; number++)
    {
        await response.WriteAsync($"data: {number}\n\n", end);
        await response.Body.FlushAsync(end);
        await Task.Delay(200, end);
    }
});

app.Map("/ws", async (HttpContext context) =>
{
    using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
    byte[] buffer = new byte[1024];
    WebSocketReceiveResult received = await socket.ReceiveAsync(buffer, context.RequestAborted);
    await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, endOfMessage: true, context.RequestAborted);
    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
});

// A unary method as gRPC calls it: five bytes before each message, and the status in trailers.
app.MapPost("/echo.Echo/Say", async (HttpContext context) =>
{
    using MemoryStream request = new();
    await context.Request.Body.CopyToAsync(request);
    byte[] message = request.ToArray()[5..];
    byte[] answer = [0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes("said "), .. message];
    BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(1), answer.Length - 5);
    context.Response.ContentType = "application/grpc";
    context.Response.DeclareTrailer("grpc-status");
    await context.Response.Body.WriteAsync(answer);
    context.Response.AppendTrailer("grpc-status", "0");
});

app.Run();

static X509Certificate2 MadeAtStart()
{
    using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
    using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
}

internal sealed class EchoHub : Hub
{
    public string Echo(string text) => $"hub {text}";
}

/// <summary>Work that goes on by itself.</summary>
internal sealed class Ticks : BackgroundService
{
    public int Count { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Count++;
        }
    }
}
