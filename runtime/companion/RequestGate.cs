using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Holds requests from before the checkpoint until the app is safe after the restore. Open after a restore, it costs
/// two comparisons a request.
/// </summary>
internal sealed class RequestGate : IStartupFilter
{
    /// <summary>Kestrel renews the date that it answers with once a second.</summary>
    private static readonly TimeSpan s_dateRenewal = TimeSpan.FromSeconds(1.5);

    private static volatile TaskCompletionSource? s_closed;
    private static volatile bool s_watching = true;
    private static int s_inFlight;
    private static long s_restoredAt;
    private static PathString? s_readyPath;

    /// <summary>Answers of the path that tells whether the app is ready tell, in a restored app, that it was restored.</summary>
    public const string RestoredHeader = "Dotnet-Snapshot";

    /// <summary>Requests that the app is working on.</summary>
    public static int InFlight => Volatile.Read(ref s_inFlight);

    /// <summary>The header that lets the companion's own request through a closed gate; its value is <see cref="Pass"/>.</summary>
    public const string PassHeader = "X-Dotnet-Snapshot-Pass";

    /// <summary>Known to nobody else; made anew after a restore, for the image holds the one of before.</summary>
    public static string Pass { get; private set; } = Guid.NewGuid().ToString("N");

    /// <summary>From now on requests wait. Returns how many were still in flight at the deadline.</summary>
    public static int Close(TimeSpan deadline)
    {
        s_closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.MemoryBarrier();
        for (long start = Stopwatch.GetTimestamp(); InFlight > 0 && Stopwatch.GetElapsedTime(start) < deadline;)
        {
            Thread.Sleep(1);
        }

        return InFlight;
    }

    /// <summary>Lets the waiting requests go on. `restored` ends the watch over requests in flight, which only a checkpoint needs.</summary>
    public static void Open(bool restored)
    {
        if (restored)
        {
            s_restoredAt = Stopwatch.GetTimestamp();
        }

        TaskCompletionSource? closed = s_closed;
        s_closed = null;
        closed?.TrySetResult();
    }

    /// <summary>The path whose answers get <see cref="RestoredHeader"/>.</summary>
    public static void AnnounceAt(string path)
    {
        s_readyPath = PathString.FromUriComponent(path);
        // What the first request after the restore will ask is compiled now.
        _ = IsReadyPath(PathString.Empty);
    }

    /// <summary>Another pass than the one that the image holds.</summary>
    public static void RenewPass() => Pass = Guid.NewGuid().ToString("N");

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(rest => context =>
        {
            if (s_watching)
            {
                return WatchAsync(rest, context);
            }

            Announce(context);
            return rest(context);
        });
        next(app);
    };

    private static async Task WatchAsync(RequestDelegate rest, HttpContext context)
    {
        // Counted before the gate is looked at: a request is either seen by who closes it, or sees it closed.
        for (Interlocked.Increment(ref s_inFlight); s_closed is { } closed; Interlocked.Increment(ref s_inFlight))
        {
            if (context.Request.Headers[PassHeader] == Pass)
            {
                NameAllowedHost(context);
                break;
            }

            Interlocked.Decrement(ref s_inFlight);
            await closed.Task;
        }

        try
        {
            if (s_restoredAt != 0)
            {
                AfterRestore(context);
            }

            await rest(context);
        }
        finally
        {
            Interlocked.Decrement(ref s_inFlight);
        }
    }

    /// <summary>The companion's own requests are let through the app's host filter, which production may set otherwise than the build.</summary>
    private static void NameAllowedHost(HttpContext context)
    {
        string[] allowed = (context.RequestServices.GetService<IConfiguration>()?["AllowedHosts"] ?? "")
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (allowed.Length > 0 && !allowed.Contains("*") && !allowed.Contains(context.Request.Host.Host, StringComparer.OrdinalIgnoreCase))
        {
            context.Request.Host = new HostString(allowed[0].Replace("*.", "www.", StringComparison.Ordinal));
        }
    }

    private static bool IsReadyPath(PathString asked) => s_readyPath is { } path && asked == path;

    private static void Announce(HttpContext context)
    {
        if (IsReadyPath(context.Request.Path))
        {
            context.Response.Headers[RestoredHeader] = "restored";
        }
    }

    private static void AfterRestore(HttpContext context)
    {
        Announce(context);
        // The server's own is that of the checkpoint until it renews it.
        context.Response.OnStarting(
            static state =>
            {
                IHeaderDictionary headers = ((HttpContext)state).Response.Headers;
                if (headers.Date.Count == 0)
                {
                    headers.Date = DateTimeOffset.UtcNow.ToString("R", CultureInfo.InvariantCulture);
                }

                return Task.CompletedTask;
            },
            context);
        if (Stopwatch.GetElapsedTime(s_restoredAt) > s_dateRenewal)
        {
            s_watching = false;
        }
    }
}
