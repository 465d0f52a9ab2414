using Worker;

var builder = WebApplication.CreateBuilder(args);

builder.Services.AddOptions<RollupOptions>().BindConfiguration("Rollup").ValidateDataAnnotations().ValidateOnStart();
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<Rollup>();
builder.Services.AddHostedService<RollupWorker>();
builder.Services.AddProblemDetails();
builder.Services.AddValidation();
builder.Services.AddHealthChecks();

var app = builder.Build();

app.UseExceptionHandler();
app.UseStatusCodePages();
app.MapHealthChecks("/healthz");
app.MapReadings();

app.Run();
