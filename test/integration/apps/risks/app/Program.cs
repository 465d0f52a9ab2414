using Risks.Library;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddHostedService<Job>();
var app = builder.Build();
app.MapGet("/", () => $"hello {Catalogue.Names.Length}");
app.Run();
