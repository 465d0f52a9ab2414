// Answers with the version of .NET that runs it.
var app = WebApplication.CreateBuilder(args).Build();
app.MapGet("/", () => Environment.Version.ToString());
app.Run();
