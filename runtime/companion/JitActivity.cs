using System.Runtime;

namespace DotnetSnapshot.Companion;

/// <summary>How much the JIT has compiled so far; flat numbers mean that it is quiet.</summary>
internal static class JitActivity
{
    public static string Describe() =>
        $$"""{"methods":{{JitInfo.GetCompiledMethodCount()}},"ilBytes":{{JitInfo.GetCompiledILBytes()}}}""";
}
