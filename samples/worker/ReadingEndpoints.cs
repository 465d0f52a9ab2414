using Microsoft.AspNetCore.Http.HttpResults;

namespace Worker;

public static class ReadingEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void MapReadings(this IEndpointRouteBuilder app)
    {
        app.MapPost("/readings", Post);
        app.MapGet("/status", Status);
        app.MapGet("/aggregates/{sensor}", Find);
        app.MapDelete("/aggregates/{sensor}", Forget);
    }

    private static Results<Accepted<Accepted>, ProblemHttpResult> Post(ReadingBatch batch, Rollup rollup) =>
        rollup.TryAdd(batch.Readings!) is { } accepted
            ? TypedResults.Accepted($"/status?tick={accepted.Tick}", accepted)
            : TypedResults.Problem("The queue is full; try again after the next tick.", statusCode: StatusCodes.Status429TooManyRequests);

    /// <summary>With <paramref name="tick"/> the answer waits until that tick is done, which shows that the timer is alive.</summary>
    private static async Task<Results<Ok<Status>, ProblemHttpResult>> Status(Rollup rollup, CancellationToken cancel, long tick = 0)
    {
        try
        {
            await rollup.WaitForAsync(tick, Patience, cancel);
            return TypedResults.Ok(rollup.Status());
        }
        catch (TimeoutException)
        {
            return TypedResults.Problem(
                $"Tick {tick} was not done within {Patience.TotalSeconds:0} s.", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static Results<Ok<Aggregate>, NotFound> Find(string sensor, Rollup rollup) =>
        rollup.Find(sensor) is { } aggregate ? TypedResults.Ok(aggregate) : TypedResults.NotFound();

    private static Results<NoContent, NotFound> Forget(string sensor, Rollup rollup) =>
        rollup.Forget(sensor) ? TypedResults.NoContent() : TypedResults.NotFound();
}
