using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace DotnetSnapshot.Companion;

/// <summary>The code of one method. What the compiler made of a method (async, iterators) counts as that method's.</summary>
internal sealed record MethodBody(string OwnerType, string OwnerName, List<Instruction> Instructions)
{
    /// <summary>Farther than this from a call are no arguments of it.</summary>
    private const int MostSteps = 12;

    /// <summary>Only called while a request is answered, or after each restore.</summary>
    private static readonly string[] s_requestTypes = ["Microsoft.AspNetCore.Http.HttpContext", "Microsoft.AspNetCore.Http.HttpRequest", "Microsoft.AspNetCore.Http.HttpResponse"];

    private static readonly string[] s_requestBases = ["ControllerBase", "Controller", "PageModel", "Hub", "Hub`1", "ViewComponent"];

    private static readonly string[] s_takeHandlers =
    [
        "Microsoft.AspNetCore.Builder.EndpointRouteBuilderExtensions.", "Microsoft.AspNetCore.Builder.RunExtensions.Run", "Microsoft.AspNetCore.Builder.UseExtensions.Use",
        "DotnetSnapshot.SnapshotHooks.RegisterAfterRestore",
    ];

    /// <summary>Only called while the app is being built.</summary>
    private static readonly string[] s_startTypes =
    [
        "Microsoft.Extensions.DependencyInjection.IServiceCollection", "Microsoft.Extensions.Configuration.IConfigurationBuilder",
        "Microsoft.Extensions.Hosting.IHost", "Microsoft.Extensions.Hosting.IHostBuilder", "Microsoft.Extensions.Hosting.IHostApplicationBuilder",
        "Microsoft.Extensions.Hosting.HostApplicationBuilder", "Microsoft.Extensions.Hosting.HostBuilderContext",
        "Microsoft.AspNetCore.Hosting.IWebHostBuilder", "Microsoft.AspNetCore.Hosting.WebHostBuilderContext",
        "Microsoft.AspNetCore.Builder.WebApplicationBuilder", "Microsoft.AspNetCore.Builder.WebApplication", "Microsoft.AspNetCore.Builder.IApplicationBuilder",
        "Microsoft.AspNetCore.Routing.IEndpointRouteBuilder",
    ];

    /// <summary>Of methods that take one for each scope, client or object.</summary>
    private static readonly string[] s_takeOften = ["Scoped", "Transient", "HttpClient", "Endpoint"];

    private static readonly string[] s_lastCalls = ["Run", "RunAsync", "WaitForShutdown", "WaitForShutdownAsync"];

    private static readonly string[] s_hostNamespaces = ["Microsoft.Extensions.Hosting.", "Microsoft.AspNetCore.Builder.WebApplication.", "Microsoft.AspNetCore.Hosting."];

    public string Owner => $"{OwnerType}.{OwnerName}";

    /// <summary>Whether it runs once, when the app starts.</summary>
    public bool IsStart { get; private init; }

    /// <summary>Whether only requests can lead to it.</summary>
    public bool IsOfRequest { get; private init; }

    public int OwnerParameters { get; private init; }

    public static List<MethodBody> In(PEReader image, MetadataReader metadata, Methods methods)
    {
        List<MethodBody> bodies = [];
        Dictionary<string, MethodDefinition> definitions = [];
        foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
        {
            definitions[methods.Of(MetadataTokens.GetToken(handle)).Name] = metadata.GetMethodDefinition(handle);
        }

        foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
        {
            MethodDefinition method = metadata.GetMethodDefinition(handle);
            if (method.RelativeVirtualAddress == 0)
            {
                continue;
            }

            (TypeDefinitionHandle type, string name) = OwnerOf(metadata, method);
            string typeName = RiskyMembersTypes.NameOf(metadata, type);
            List<string> parameters = definitions.TryGetValue($"{typeName}.{name}", out MethodDefinition owner)
                ? [.. owner.DecodeSignature(RiskyMembersTypes.Instance, null).ParameterTypes]
                : [];
            string baseName = RiskyMembersTypes.NameOf(metadata, metadata.GetTypeDefinition(type).BaseType);
            bodies.Add(new MethodBody(typeName, name, Il.Read(image.GetMethodBody(method.RelativeVirtualAddress).GetILReader()))
            {
                OwnerParameters = parameters.Count,
                IsStart = name is "Main" or "<Main>$" or ".cctor" || parameters.Exists(s_startTypes.Contains),
                IsOfRequest = parameters.Exists(s_requestTypes.Contains)
                    || (name is not ".ctor" and not ".cctor" && s_requestBases.Contains(baseName[(baseName.LastIndexOf('.') + 1)..])),
            });
        }

        return bodies;
    }

    /// <summary>The methods that are handed over as handlers of requests or after-restore hooks, or can be nothing else.</summary>
    public static HashSet<string> Following(List<MethodBody> bodies, Methods methods)
    {
        HashSet<string> following = [.. bodies.Where(body => body.IsOfRequest).Select(body => body.Owner)];
        foreach (MethodBody body in bodies)
        {
            for (int at = 0; at < body.Instructions.Count; at++)
            {
                if (body.Instructions[at].Code == ILOpCode.Ldftn && body.NextCall(at, methods) is { } taker && Array.Exists(s_takeHandlers, known => taker.StartsWith(known, StringComparison.Ordinal)))
                {
                    following.Add(methods.Of(body.Instructions[at].Token).Name);
                }
            }
        }

        return following;
    }

    /// <summary>Methods that the app's start hands over to be called once: what sets options up, and what makes singletons.</summary>
    public static HashSet<string> CalledOnce(List<MethodBody> bodies, Methods methods)
    {
        HashSet<string> once = [];
        foreach (MethodBody body in bodies.Where(body => body.IsStart))
        {
            for (int at = 0; at < body.Instructions.Count; at++)
            {
                if (body.Instructions[at].Code == ILOpCode.Ldftn && body.NextCall(at, methods) is { } taker && TakesOnce(taker[(taker.LastIndexOf('.') + 1)..]))
                {
                    once.Add(methods.Of(body.Instructions[at].Token).Name);
                }
            }
        }

        return once;
    }

    /// <summary>Calls of methods with such a name, and delegates of them, up to the one in which the app runs until it ends.</summary>
    public IEnumerable<int> CallsBeforeTheEnd(Methods methods, Func<string, bool> isSought)
    {
        for (int at = 0; at < Instructions.Count; at++)
        {
            if (!IsCall(Instructions[at].Code) && Instructions[at].Code != ILOpCode.Ldftn)
            {
                continue;
            }

            string name = methods.Of(Instructions[at].Token).Name;
            if (Array.Exists(s_lastCalls, last => name.EndsWith($".{last}", StringComparison.Ordinal)) && Array.Exists(s_hostNamespaces, host => name.StartsWith(host, StringComparison.Ordinal)))
            {
                yield break;
            }

            if (isSought(name))
            {
                yield return at;
            }
        }
    }

    /// <summary>Constant texts among the arguments of a call; none where they are worked out.</summary>
    public List<string> ConstantsFor(int call, int parameters, Methods methods)
    {
        List<string> constants = [];
        for (int at = call - 1, left = parameters; at >= 0 && left > 0 && call - at <= MostSteps; at--)
        {
            Instruction instruction = Instructions[at];
            if (instruction.Code == ILOpCode.Ldstr)
            {
                constants.Add(TextOf(instruction, methods));
                left--;
            }
            else if (instruction.Code is >= ILOpCode.Ldc_i4_m1 and <= ILOpCode.Ldc_r8 or ILOpCode.Ldnull)
            {
                left--;
            }
            else if (constants.Count > 0 || IsCall(instruction.Code) || parameters == 1)
            {
                break;
            }
        }

        return constants;
    }

    /// <summary>Every constant text.</summary>
    public IEnumerable<string> AllConstants(Methods methods) =>
        Instructions.Where(instruction => instruction.Code == ILOpCode.Ldstr).Select(instruction => TextOf(instruction, methods));

    public static bool IsCall(ILOpCode code) => code is ILOpCode.Call or ILOpCode.Callvirt;

    /// <summary>The text that an instruction loads.</summary>
    public static string TextOf(Instruction instruction, Methods methods) =>
        methods.Metadata.GetUserString((UserStringHandle)MetadataTokens.Handle(instruction.Token));

    private static bool TakesOnce(string name) =>
        (name.StartsWith("Add", StringComparison.Ordinal) || name.StartsWith("Configure", StringComparison.Ordinal) || name.StartsWith("PostConfigure", StringComparison.Ordinal))
        && name != "AddDbContext" && !Array.Exists(s_takeOften, name.Contains);

    private string? NextCall(int at, Methods methods)
    {
        for (int next = at + 1; next < Instructions.Count && next - at <= MostSteps; next++)
        {
            if (IsCall(Instructions[next].Code))
            {
                return methods.Of(Instructions[next].Token).Name;
            }
        }

        return null;
    }

    /// <summary>An async method's code is in MoveNext of the nested type `&lt;NAME&gt;d__1`.</summary>
    private static (TypeDefinitionHandle Type, string Name) OwnerOf(MetadataReader metadata, MethodDefinition method)
    {
        TypeDefinitionHandle type = method.GetDeclaringType();
        string name = metadata.GetString(method.Name), typeName = metadata.GetString(metadata.GetTypeDefinition(type).Name);
        int end = typeName.LastIndexOf('>');
        TypeDefinitionHandle outer = metadata.GetTypeDefinition(type).GetDeclaringType();
        return name == "MoveNext" && typeName[0] == '<' && end > 1 && !outer.IsNil ? (outer, typeName[1..end]) : (type, name);
    }
}
