using System;
using System.Globalization;
using System.Threading;
using DotnetSnapshot.Companion;

/// <summary>
/// The runtime calls <see cref="Initialize"/> before the app's Main (DOTNET_STARTUP_HOOKS). The type's name and
/// place, without a namespace, are the runtime's contract.
/// </summary>
internal static class StartupHook
{
    private const string ControlVariable = "DOTNET_SNAPSHOT_CONTROL";

    /// <summary>Starts the control thread when the launcher started this process; does nothing anywhere else.</summary>
    public static void Initialize()
    {
        string? control = Environment.GetEnvironmentVariable(ControlVariable);
        if (control is null)
        {
            return;
        }

        // Processes that the app starts are not checkpointed and must not find a companion or its pipes.
        Environment.SetEnvironmentVariable(ControlVariable, null);
        Environment.SetEnvironmentVariable("DOTNET_STARTUP_HOOKS", Environment.GetEnvironmentVariable("DOTNET_SNAPSHOT_APP_HOOKS"));
        Environment.SetEnvironmentVariable("DOTNET_SNAPSHOT_APP_HOOKS", null);

        string[] descriptors = control.Split(',');
        int requests = int.Parse(descriptors[0], CultureInfo.InvariantCulture);
        int answers = int.Parse(descriptors[1], CultureInfo.InvariantCulture);
        new Thread(() => ControlChannel.Serve(requests, answers)) { IsBackground = true, Name = "dotnet-snapshot" }.Start();
    }
}
