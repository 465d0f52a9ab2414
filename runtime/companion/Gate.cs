using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;

namespace DotnetSnapshot.Companion;

/// <summary>
/// The way to code that names types of ASP.NET Core, which an app may not have. The runtime looks such types up when
/// it compiles a method that uses them, so nothing here is inlined into methods that every app runs.
/// </summary>
internal static class Gate
{
    public static string Pass => PassOfGate();

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Close(TimeSpan deadline) => RequestGate.Close(deadline);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Open(bool restored) => RequestGate.Open(restored);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void AnnounceAt(string path) => RequestGate.AnnounceAt(path);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static IEnumerable<string> ForgetKeys(AppHost host) => DataProtectionKeys.Forget(host);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool CloseConnections(AppHost host) => ServerConnections.Close(host);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool ClearBuffers(AppHost host) => ServerBuffers.Clear(host);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static List<string> MissingWebRoots(AppHost host) => WebRoots.Missing(host);

    /// <summary>What the image knows counts no longer: the pass, and where data-protection keys are kept.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void LeaveImage()
    {
        RequestGate.RenewPass();
        DataProtectionKeys.KeepWhereTheFrameworkDoes();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string PassOfGate() => RequestGate.Pass;
}
