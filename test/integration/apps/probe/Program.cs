using System.Diagnostics;
using System.Net.Sockets;

// The smallest app that answers, and, by one variable each, everything that keeps an app from being checkpointed.
const string outsideSocket = "/tmp/outside.sock";
object? held = null;

if (Is("OUTSIDE"))
{
    // The process at the other end of UNIX_SOCKET: it belongs to the container's init, not to the app.
    using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    listener.Bind(new UnixDomainSocketEndPoint(outsideSocket));
    listener.Listen();
    held = await listener.AcceptAsync();
    await Task.Delay(Timeout.Infinite);
}

if (Is("CRASH"))
{
    throw new InvalidOperationException("The probe was told to crash.");
}

if (Is("INOTIFY"))
{
    held = new FileSystemWatcher("/app") { EnableRaisingEvents = true };
}

if (Is("UNIX_SOCKET"))
{
    Process.Start("/bin/sh", ["-c", "UNIX_SOCKET= OUTSIDE=1 dotnet Probe.dll &"]).WaitForExit();
    while (!File.Exists(outsideSocket))
    {
        await Task.Delay(10);
    }

    Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    await client.ConnectAsync(new UnixDomainSocketEndPoint(outsideSocket));
    held = client;
}

var app = WebApplication.CreateBuilder(args).Build();
app.MapGet("/", () => "probe");
app.MapGet("/healthz", () => "ok");
app.MapGet("/hello/{name}", (string name) => new { Hello = name });
app.Run();
GC.KeepAlive(held);

static bool Is(string name) => Environment.GetEnvironmentVariable(name) == "1";
