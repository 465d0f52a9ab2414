using Kinds;

// Makes one of each kind of thing that a process can have, and tells at any time which of them still work.
WebApplication app = WebApplication.CreateBuilder(args).Build();
Worker main = new();
Inventory inventory = new([
    .. Files.Make(),
    .. Descriptors.Make(),
    .. Sockets.Make(),
    .. Memory.Make(),
    .. Clocks.Make(),
    .. Threads.Make(main),
    .. Processes.Make(main),
]);

app.MapGet("/", () => "kinds");
app.MapGet("/check", inventory.Check);
// Asked by the companion, right before the checkpoint and right after a restore; for a test to read later.
app.MapPost("/before-checkpoint", inventory.BeforeCheckpoint);
app.MapPost("/after-restore", inventory.AfterRestore);
app.MapGet("/before-checkpoint", () => inventory.FoundBefore);
app.MapGet("/after-restore", () => inventory.FoundAfter);
app.MapGet("/say", () =>
{
    Console.Out.WriteLine("this is stdout");
    Console.Error.WriteLine("this is stderr");
});

// Some kinds belong to the process's first thread, so it is left free to be asked.
app.Start();
app.Lifetime.ApplicationStopping.Register(main.End);
main.Serve();
app.WaitForShutdown();
