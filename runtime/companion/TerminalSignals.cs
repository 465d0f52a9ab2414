using System;
using System.Collections;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace DotnetSnapshot.Companion;

/// <summary>
/// SIGHUP. As PID 1 an app that does not handle it never notices it; a restored app is not PID 1 and would be
/// killed. It stops gracefully instead, as for SIGTERM and SIGINT, which the host handles.
/// </summary>
internal static class TerminalSignals
{
    private static PosixSignalRegistration? s_hangup;

    /// <summary>Does nothing where the app handles the signal itself, or has no host that could stop.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Handle(AppHost host)
    {
        if (s_hangup is null && host.Find<IHostApplicationLifetime>() is { } lifetime && !IsHandledByApp())
        {
            s_hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                lifetime.StopApplication();
            });
        }
    }

    private static bool IsHandledByApp()
    {
        const int Hangup = 1; // SIGHUP
        object? registrations = typeof(PosixSignalRegistration)
            .GetField("s_registrations", BindingFlags.Static | BindingFlags.NonPublic)?.GetValue(null);
        return registrations is not IDictionary known || known.Keys.Cast<object>().Any(signal => Convert.ToInt32(signal, null) == Hangup);
    }
}
