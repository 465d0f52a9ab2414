using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>What makes a restored clone safe: everything that the checkpoint froze and that this container has otherwise.</summary>
internal sealed class Restoration(AppHost host, AppHooks hooks, Surroundings surroundings)
{
    /// <summary>First word of the line by which the launcher tells of a restore.</summary>
    public const string Verb = "restored";

    /// <summary>The most variables that are named in the log line.</summary>
    private const int MostNames = 12;

    private readonly Randomness _randomness = new();
    private readonly Identities _identities = new();
    private readonly Limits _limits = new();

    private readonly Clock _clock = new();

    /// <summary>Folders of static files that are missing.</summary>
    private List<string> _webRoots = [];

    /// <summary>
    /// Looks for the app's configurations. To be called before <see cref="Rehearse"/>.
    /// </summary>
    public void Prepare()
    {
        AppConfiguration.Find(host);
    }

    /// <summary>
    /// Does what a restore does with nothing changed, so that its code is compiled when it counts, and notes what it
    /// will compare with. Throws where this app can't be made safe.
    /// </summary>
    public void Rehearse()
    {
        // Cached from now on: a restored process is another program to the kernel.
        _ = Environment.ProcessPath;
        surroundings.NoteOwnChanges();
        _limits.Note();
        _randomness.Prepare();
        AppConfiguration.Note();
        ConnectionStrings.Note();
        StartSettings.Note(host.HasWeb);
        StartReads.NotePaths();
        _webRoots = host.HasWeb ? Gate.MissingWebRoots(host).FindAll(folder => !Directory.Exists(folder)) : [];
        _clock.Freeze();
        _clock.Thaw(restored: true);
        Renew(Line.Of(Environment.GetEnvironmentVariables()));
        _clock.CatchUp();
    }

    /// <summary>Notes what libraries keep of this process's identity, among the app's objects too.</summary>
    public void NoteIdentities(IEnumerable<object> objects) => _identities.Note(objects);

    /// <summary>What the timers' callbacks will be given, by which their owners are found.</summary>
    public List<object> TimerStates() => _clock.States();

    /// <summary>The last thing before the checkpoint, after which this thread waits for the launcher's line.</summary>
    public void Suspend()
    {
        _randomness.Distrust();
        _clock.Freeze();
    }

    /// <summary>The checkpoint is over, or was not taken, and this process goes on.</summary>
    public void Resume()
    {
        _clock.Thaw(restored: false);
        _randomness.Trust();
    }

    /// <summary>
    /// Answers the launcher's line: `ok`, how long it took and what differs from the build, or the code and reason for which this
    /// clone must not live.
    /// </summary>
    public string Run(string line)
    {
        try
        {
            long start = Stopwatch.GetTimestamp();
            _clock.Thaw(restored: true);
            Line restored = Line.Parse(line);
            List<string> different = Renew(restored);
            if (host.HasWeb)
            {
                Gate.LeaveImage();
            }

            hooks.RunAfterRestore(restored.Snapshot);
            _clock.CatchUp();
            if (host.HasGate)
            {
                Gate.Open(restored: true);
            }

            string took = string.Create(CultureInfo.InvariantCulture, $"ok {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0.0} ms of it in the app");
            return different.Count == 0 ? took : $"{took}; differs from the build: {string.Join(", ", different)}";
        }
#pragma warning disable CA1031 // Whatever goes wrong, the launcher starts the app normally and says why.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return $"DS5005 {Describe(error)}".ReplaceLineEndings(" ");
        }
    }

    private List<string> Renew(Line restored)
    {
        // The pool's threads do their part meanwhile.
        Action waitForPool = _randomness.Renew();
        SqliteFiles.Renew();
        List<string> variables = surroundings.TakeOver(restored.Environment);
        _identities.Renew();
        AppConfiguration.Reload(host, restored.Arguments);
        StartSettings.Check(host.HasWeb, ConnectionStrings.TakeOver());
        CheckPaths();
        waitForPool();
        List<string> different = _limits.TakeOver();
        if (variables.Count > 0)
        {
            string more = variables.Count > MostNames ? $" and {variables.Count - MostNames} more" : "";
            different.Insert(0, $"variables {string.Join(' ', variables.Take(MostNames))}{more}");
        }

        return different;
    }

    private void CheckPaths()
    {
        if (StartReads.ChangedPath() is { } path)
        {
            throw new RestoreException($"{path} {(Path.Exists(path) ? "was not there at the build" : "was there at the build")}, and the app looks for it only when it starts");
        }

        if (_webRoots.Find(folder => Directory.Exists(folder) && !MayDiffer.Allows(folder)) is { } webRoot)
        {
            throw new RestoreException($"the folder of static files {webRoot} was not there at the build");
        }
    }

    private static string Describe(Exception error) => error switch
    {
        TargetInvocationException { InnerException: { } inner } => Describe(inner),
        HookException or RestoreException => error.Message,
        // Not the message: it may hold a value of the configuration.
        _ => $"{error.GetType().Name} in {error.TargetSite?.DeclaringType?.FullName}.{error.TargetSite?.Name}",
    };
}

/// <summary>A restored clone can't be made safe; the message is the reason.</summary>
internal sealed class RestoreException(string message) : Exception(message);
