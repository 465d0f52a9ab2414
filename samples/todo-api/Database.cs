using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace TodoApi;

/// <summary>Which database the app uses, and its creation at start.</summary>
public static class Database
{
    private const int Attempts = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static IServiceCollection AddTodoDatabase(this IServiceCollection services, IConfiguration configuration)
    {
        var kind = configuration["Database"]?.ToLowerInvariant();
        return kind switch
        {
            null or "" or "memory" => services.AddDbContextPool<TodoDb>(db => db.UseInMemoryDatabase("todos")),
            "postgres" => services.AddDbContextPool<TodoDb>(db => db.UseNpgsql(ConnectionString(configuration))),
            _ => throw new InvalidOperationException($"Database is '{kind}'; it can be 'memory' or 'postgres'."),
        };
    }

    /// <summary>Creates the schema where it is missing. A database that is still starting gets <see cref="Attempts"/> tries.</summary>
    public static async Task CreateDatabaseAsync(this WebApplication app)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<TodoDb>().Database;
        var stopping = app.Lifetime.ApplicationStopping;

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await database.EnsureCreatedAsync(stopping);
                return;
            }
            // Npgsql wraps what may pass into an InvalidOperationException.
            catch (Exception error) when (attempt < Attempts && error is DbException or { InnerException: DbException })
            {
                app.Logger.LogWarning("Database not ready, attempt {Attempt} of {Attempts}: {Reason}",
                    attempt, Attempts, error.GetBaseException().Message);
                await Task.Delay(Pause, stopping);
            }
        }
    }

    private static string ConnectionString(IConfiguration configuration) =>
        configuration.GetConnectionString("Todos") is { Length: > 0 } found
            ? found
            : throw new InvalidOperationException("Database is 'postgres', so ConnectionStrings:Todos must be set.");
}

/// <summary>Ready means: the database answers.</summary>
public sealed class DatabaseHealth(TodoDb db) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancel = default) =>
        await db.Database.CanConnectAsync(cancel)
            ? HealthCheckResult.Healthy()
            : new HealthCheckResult(context.Registration.FailureStatus, "The database can't be reached.");
}
