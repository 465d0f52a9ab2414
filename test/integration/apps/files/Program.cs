using System.IO.MemoryMappedFiles;
using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using NLog.Config;
using NLog.Targets;
using Serilog;

// What apps do with files at their start: each is open, mapped, bound or only left there when the app is checkpointed.
string data = Environment.GetEnvironmentVariable("DATA") ?? "/data";
Directory.CreateDirectory($"{data}/cache/deep");
File.WriteAllText($"{data}/cache/deep/page.html", "cached");
File.WriteAllText($"{data}/migrated", "1");
if (!File.Exists($"{data}/latest"))
{
    File.CreateSymbolicLink($"{data}/latest", $"{data}/cache/deep/page.html");
}

File.WriteAllText("/tmp/scratch", "made at the start");

FileStream log = new($"{data}/app.log", FileMode.Append, FileAccess.Write, FileShare.Read);
StreamWriter lines = new(log) { AutoFlush = true };
lines.WriteLine("started");

Serilog.Core.Logger serilog = new LoggerConfiguration()
    .WriteTo.File($"{data}/serilog/log-.txt", rollingInterval: RollingInterval.Year, formatProvider: null)
    .CreateLogger();
serilog.Information("started");

LoggingConfiguration nlogConfiguration = new();
nlogConfiguration.AddRule(NLog.LogLevel.Info, NLog.LogLevel.Fatal, new FileTarget("file") { FileName = $"{data}/nlog.txt", KeepFileOpen = true, Layout = "${message}" });
NLog.LogManager.Configuration = nlogConfiguration;
NLog.Logger nlog = NLog.LogManager.GetLogger("files");
nlog.Info("started");

SqliteConnection Open(string path, string journal)
{
    SqliteConnection connection = new($"Data Source={path};Pooling=False");
    connection.Open();
    Run(connection, $"PRAGMA journal_mode={journal}; CREATE TABLE IF NOT EXISTS visits (at TEXT); INSERT INTO visits VALUES ('start')");
    return connection;
}

long Run(SqliteConnection connection, string text)
{
    using SqliteCommand command = connection.CreateCommand();
    command.CommandText = text;
    return command.ExecuteScalar() is long number ? number : 0;
}

SqliteConnection open = Open($"{data}/open.db", "WAL");
SqliteConnection scratch = Open("/tmp/scratch.db", "DELETE");
using (SqliteConnection closed = Open($"{data}/closed.db", "DELETE"))
{
}

FileStream mappedFile = new($"{data}/map.bin", FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(mappedFile, null, 8192, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, false);
MemoryMappedViewAccessor view = mapped.CreateViewAccessor();
view.Write(4096, 4711);

// Larger than what CRIU takes by itself.
FileStream deleted = new("/tmp/deleted", FileMode.Create, FileAccess.ReadWrite, FileShare.Delete);
deleted.Write(new byte[3 << 20]);
deleted.Write([1, 2, 3]);
File.Delete("/tmp/deleted");

// .NET locks what it opens, for reading, too.
FileStream settings = new("/etc/os-release", FileMode.Open, FileAccess.Read, FileShare.Read);

Socket bound = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
File.Delete($"{data}/app.sock");
bound.Bind(new UnixDomainSocketEndPoint($"{data}/app.sock"));
bound.Listen();

// What only a root that can be written to allows.
if (Environment.GetEnvironmentVariable("OWN_FOLDER") is { } folder)
{
    File.WriteAllText($"{folder}/written-at-start", "1");
}

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(Microsoft.Extensions.Logging.LogLevel.Error);
WebApplication app = builder.Build();
app.MapGet("/", () => "files");
app.MapGet("/use", () =>
{
    lines.WriteLine("used");
    serilog.Information("used");
    nlog.Info("used");
    foreach (SqliteConnection connection in new[] { open, scratch })
    {
        Run(connection, "INSERT INTO visits VALUES ('use')");
    }

    using SqliteConnection closed = new($"Data Source={data}/closed.db;Mode=ReadWrite;Pooling=False");
    closed.Open();
    Run(closed, "INSERT INTO visits VALUES ('use')");
    view.Write(0, view.ReadInt32(0) + 1);
    deleted.Position = 3 << 20;
    settings.Position = 0;
    return new
    {
        open = Run(open, "SELECT count(*) FROM visits WHERE at = 'start'"),
        scratch = Run(scratch, "SELECT count(*) FROM visits WHERE at = 'start'"),
        closed = Run(closed, "SELECT count(*) FROM visits WHERE at = 'start'"),
        mapped = view.ReadInt32(4096),
        deleted = deleted.ReadByte() == 1 && deleted.Length == (3 << 20) + 3,
        settings = settings.ReadByte() > 0,
        migrated = File.ReadAllText($"{data}/migrated"),
        page = File.ReadAllText($"{data}/latest"),
        scratchFile = File.ReadAllText("/tmp/scratch"),
        socket = File.Exists($"{data}/app.sock"),
    };
});
app.MapGet("/log", () =>
{
    serilog.Dispose();
    string Read(string path) => new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)).ReadToEnd();
    return new { app = Read($"{data}/app.log"), serilog = Read(Directory.GetFiles($"{data}/serilog").Single()), nlog = Read($"{data}/nlog.txt") };
});
app.Run();
