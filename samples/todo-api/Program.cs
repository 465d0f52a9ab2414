using System.Text.Json.Serialization;
using DotnetSnapshot;
using TodoApi;

var builder = WebApplication.CreateBuilder(args);

builder.Services.AddTodoDatabase(builder.Configuration);
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddProblemDetails();
builder.Services.AddValidation();
builder.Services.AddHealthChecks().AddCheck<DatabaseHealth>("database");
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.Converters.Add(new JsonStringEnumConverter()));
builder.AddCheckpointWarmup(TodoEndpoints.AskWithAllFilters);

var app = builder.Build();

app.UseExceptionHandler();
app.UseStatusCodePages();
app.MapHealthChecks("/healthz");
app.MapTodos();

await app.CreateDatabaseAsync();
await app.RunAsync();
