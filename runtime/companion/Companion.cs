using System;

namespace DotnetSnapshot.Companion;

/// <summary>The companion of one app: what it knows of the app, and its answers to the launcher.</summary>
internal sealed class Companion
{
    private readonly Settings _settings;
    private readonly AppHost _host = new();
    private readonly AppHooks _hooks;
    private readonly Preparation _preparation;
    private readonly Restoration _restoration;

    /// <summary>Before the app's Main: what is noted here is the app's start.</summary>
    public Companion(Settings settings)
    {
        _settings = settings;
        RuntimeDescription.Note();
        // The keys of resumable TLS sessions would lie in the image and be the same in every clone. A switch, for an
        // environment variable would be gone when it is first looked at.
        AppContext.SetSwitch("System.Net.Security.DisableTlsResume", true);
        WritableStatics.Watch();
        _hooks = new AppHooks(settings);
        _restoration = new Restoration(_host, _hooks, new Surroundings());
        _preparation = new Preparation(_host, _hooks, _restoration, settings);
        // Now: to close a file that the app has locked would end its lock.
        StartReads.Find();
    }

    /// <summary>The control thread.</summary>
    public void Serve() => ControlChannel.Serve(_settings, Answer);

    /// <summary>Asked again and again while the app is warmed, so that nothing of that time is missed.</summary>
    private string DescribeWork()
    {
        SignalRConnections.Note(_host);
        return JitActivity.Describe();
    }

    private string Answer(string request)
    {
        if (request.StartsWith(Restoration.Verb, StringComparison.Ordinal))
        {
            return _restoration.Run(request);
        }

        try
        {
            if (request.StartsWith(ConfigurationEntries.Verb, StringComparison.Ordinal))
            {
                return ConfigurationEntries.Describe(_host, request);
            }

            if (request.StartsWith(Preparation.Verb, StringComparison.Ordinal))
            {
                return _preparation.Run(request);
            }

            return request switch
            {
                "hello" => """{"hello":true}""",
                "jit" => DescribeWork(),
                "runtime" => RuntimeDescription.Describe(),
                "keys" => LiveKeys.Describe(_host),
                "risks" => RiskyMembers.Describe(),
                "canaries" => Canaries.Plant(),
                "unique" => Uniqueness.Sample(_host),
                "warm" => _hooks.RunWarmups(_host),
                "resume" => _preparation.Undo(),
                _ => """{"error":"unknown request"}""",
            };
        }
        catch (HookException failure)
        {
            return $$"""{"code":"DS3007","error":{{Json.Text(failure.Message)}}}""";
        }
#pragma warning disable CA1031 // Whatever goes wrong is the answer; it must not end the app.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return $$"""{"error":{{Json.Text($"{error.GetType().Name}: {error.Message}{error.StackTrace?.ReplaceLineEndings(" ")}")}}}""";
        }
    }
}
