using System.Text.Json.Serialization;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Services.ConfigureHttpJsonOptions(options =>
    options.SerializerOptions.TypeInfoResolverChain.Insert(0, Shapes.Default));

var app = builder.Build();
app.MapGet("/healthz", () => "Healthy");
app.MapGet("/forecast/{city}", (string city) => new Forecast(city, new DateOnly(2026, 6, 1), 21.5, ["mild", "sunny"]));
app.Run();

internal sealed record Forecast(string City, DateOnly Date, double Celsius, string[] Words);

[JsonSerializable(typeof(Forecast))]
internal sealed partial class Shapes : JsonSerializerContext;
