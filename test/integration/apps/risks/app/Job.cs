internal sealed class Job : IHostedService
{
#if !HARMLESS
    private PeriodicTimer? _ticks;
#endif

    public Task StartAsync(CancellationToken cancel)
    {
#if !HARMLESS
        _ticks = new PeriodicTimer(TimeSpan.FromMinutes(1));
#endif
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancel)
    {
#if !HARMLESS
        _ticks?.Dispose();
#endif
        return Task.CompletedTask;
    }
}
