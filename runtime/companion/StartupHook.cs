using System;
using System.Threading;
using DotnetSnapshot.Companion;

/// <summary>
/// The runtime calls <see cref="Initialize"/> before the app's Main (DOTNET_STARTUP_HOOKS). The type's name and
/// place, without a namespace, are the runtime's contract.
/// </summary>
internal static class StartupHook
{
    /// <summary>Starts the control thread when the launcher started this process; does nothing anywhere else.</summary>
    public static void Initialize()
    {
        if (Settings.Take() is not { } settings)
        {
            return;
        }

        // Processes that the app starts are not checkpointed and must not find a companion.
        Environment.SetEnvironmentVariable("DOTNET_STARTUP_HOOKS", Settings.TakeAppHooks());
        Settings.PutBackVariables();
        SqliteFiles.Watch();
        Companion companion = new(settings);
        new Thread(companion.Serve) { IsBackground = true, Name = "dotnet-snapshot" }.Start();
    }
}
