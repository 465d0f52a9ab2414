// A small app that does what MODE says, to show each way in which a checkpoint can be refused.
var mode = Environment.GetEnvironmentVariable("MODE");
if (mode == "crash")
{
    throw new InvalidOperationException("this app does not start");
}

using var watcher = mode == "inotify" ? new FileSystemWatcher("/tmp") { EnableRaisingEvents = true } : null;
var app = WebApplication.CreateBuilder(args).Build();
app.MapGet("/", () => "hello");
app.MapGet("/end", () => Environment.Exit(7));
app.Run();
