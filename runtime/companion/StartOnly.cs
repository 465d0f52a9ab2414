using System;

namespace DotnetSnapshot.Companion;

/// <summary>Environment variables that are read once, when a process or a library starts: a running app can't follow them.</summary>
internal static class StartOnly
{
    /// <summary>Read by the runtime, a host or a library of the system, whatever the app does.</summary>
    private static readonly string[] s_prefixes = ["DOTNET_", "COMPlus_", "CORECLR_", "ASPNETCORE_", "LC_"];

    private static readonly string[] s_names =
    [
        "LD_PRELOAD", "LD_LIBRARY_PATH", "GLIBC_TUNABLES", "OPENSSL_CONF", "URLS", "HTTP_PORTS", "HTTPS_PORTS", "LANG", "LANGUAGE", "ICU_DATA",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    ];

    /// <summary>Read by libraries when they are set up; they count where the app, or a package of it, has the name in its code.</summary>
    private static readonly string[] s_ofLibraries = ["PORT", "OTEL_", "AWS_", "AZURE_", "GOOGLE_", "APPLICATIONINSIGHTS_", "APPINSIGHTS_", "ELASTIC_APM_", "DD_", "SENTRY_", "CORECLR_", "NO_COLOR"];

    /// <summary>Given to each container by an engine or a platform.</summary>
    private static readonly string[] s_ofPlatforms =
    [
        "HOSTNAME", "HOME", "PATH", "PWD", "USER", "TERM", "SHLVL", "TMPDIR", "KUBERNETES_", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", "CONTAINER_APP_", "ECS_", "WEBSITE_",
    ];

    /// <summary>What the warming container sets for the checkpoint's sake, and what speaks to the launcher.</summary>
    private static readonly string[] s_ofTheSnapshot =
    [
        "DOTNET_SNAPSHOT", "DOTNET_EnableWriteXorExecute", "DOTNET_USE_POLLING_FILE_WATCHER", "DOTNET_TC_CallCountingDelayMs",
        "DOTNET_SYSTEM_IO_DISABLEFILELOCKING", "DOTNET_hostBuilder__reloadConfigOnChange", "ASPNETCORE_hostBuilder__reloadConfigOnChange",
    ];

    /// <summary>The port that the app was seen to listen on; an app that is not told a PORT listens there.</summary>
    public static string? Port { get; set; }

    /// <summary>Whether an app that was started with this variable as `before` goes on as if it still were, though it is `now`.</summary>
    public static bool Misses(string name, string? before, string? now) =>
        Counts(name, now) && !IsSame(name, before, now) && !MayDiffer.Allows(name, before, now);

    /// <summary>Whether two values of a variable, or of the key of the configuration that it gives, are one to those who read it.</summary>
    public static bool IsSame(string name, string? before, string? now) => Effective(name, before) == Effective(name, now);

    /// <summary>Whether it is a setting of the runtime or of the snapshot, whose change is not worth a word where it is followed.</summary>
    public static bool IsOfRuntime(string name) =>
        StartsWithAny(["DOTNET_", "COMPlus_", "CORECLR_", "ASPNETCORE_"], name) || StartsWithAny(s_ofTheSnapshot, name);

    /// <summary>Whether a text is the name of a variable that a library may read.</summary>
    public static bool IsOfLibrary(string text) => text.Length <= 128 && Array.Exists(s_ofLibraries, known => IsOneOf(known, text));

    /// <summary>Whether a variable is there in each container, so that a package that looks at it does not make each of them differ.</summary>
    public static bool IsOfPlatform(string name) =>
        Array.Exists(s_ofPlatforms, known => IsOneOf(known, name)) || name.EndsWith("_SERVICE_HOST", StringComparison.Ordinal) || name.Contains("_SERVICE_PORT", StringComparison.Ordinal);

    /// <summary>Whether a text can be the name of a variable.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= 128 && !char.IsAsciiDigit(text[0]) && Array.TrueForAll(text.ToCharArray(), letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or ':' or '-');

    private static bool Counts(string name, string? now)
    {
        if (StartsWithAny(s_ofTheSnapshot, name))
        {
            return false;
        }

        // What the app reads by name counts, even if a platform gives it.
        return StartReads.Variables.Contains(name) || StartReads.Texts.Contains(name)
            || (!IsOfService(name, now) && (StartsWithAny(s_prefixes, name) || Array.Exists(s_names, known => known.Equals(name, StringComparison.OrdinalIgnoreCase))));
    }

    /// <summary>Kubernetes tells of a service `dotnet-shop` by variables such as DOTNET_SHOP_PORT_80_TCP, which are no settings.</summary>
    private static bool IsOfService(string name, string? value) =>
        name.EndsWith("_SERVICE_HOST", StringComparison.Ordinal)
        || name.Contains("_SERVICE_PORT", StringComparison.Ordinal)
        || name.Contains("_TCP", StringComparison.Ordinal)
        || name.Contains("_UDP", StringComparison.Ordinal)
        || value?.StartsWith("tcp://", StringComparison.Ordinal) == true
        || value?.StartsWith("udp://", StringComparison.Ordinal) == true;

    /// <summary>What is the same to those who read it: no environment's name is production, and no language is the C locale.</summary>
    private static string? Effective(string name, string? value)
    {
        if (name.Equals("PORT", StringComparison.OrdinalIgnoreCase))
        {
            return value ?? Port;
        }

        if (name.Equals("LANG", StringComparison.Ordinal) || name.StartsWith("LC_", StringComparison.Ordinal))
        {
            return value is null or "" or "C" or "POSIX" || value.StartsWith("C.", StringComparison.Ordinal) ? null : value;
        }

        return value ?? (name.EndsWith("_ENVIRONMENT", StringComparison.Ordinal) ? "Production" : null);
    }

    private static bool IsOneOf(string known, string text) => known.EndsWith('_') ? text.StartsWith(known, StringComparison.OrdinalIgnoreCase) && text.Length > known.Length : text.Equals(known, StringComparison.OrdinalIgnoreCase);

    private static bool StartsWithAny(string[] prefixes, string name) =>
        Array.Exists(prefixes, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
