using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Reflection.Metadata;

namespace DotnetSnapshot.Companion;

/// <summary>Names types as metadata does, nested ones as Outer.Inner, and knows what is said of them.</summary>
internal sealed class RiskyMembersTypes : ISignatureTypeProvider<string, object?>
{
    public static readonly RiskyMembersTypes Instance = new();

    /// <summary>
    /// Of types with their base type and interfaces, those that implement IHostedService or derive from
    /// BackgroundService, also through others of them.
    /// </summary>
    public static HashSet<string> Hosted(IReadOnlyCollection<(string Name, List<string> Parents)> types)
    {
        HashSet<string> hosted =
        [
            "Microsoft.Extensions.Hosting.BackgroundService",
            "Microsoft.Extensions.Hosting.IHostedService",
            "Microsoft.Extensions.Hosting.IHostedLifecycleService",
        ];
        int before;
        do
        {
            before = hosted.Count;
            hosted.UnionWith(types.Where(type => type.Parents.Exists(hosted.Contains)).Select(type => type.Name));
        }
        while (hosted.Count > before);
        return hosted;
    }

    public static IEnumerable<(string Name, List<string> Parents)> In(MetadataReader metadata) =>
        metadata.TypeDefinitions.Select(handle => (NameOf(metadata, handle), ParentsOf(metadata, metadata.GetTypeDefinition(handle))));

    /// <summary>Closures, state machines and the like: their fields are no members that anyone wrote.</summary>
    public static bool IsCompilerGenerated(MetadataReader metadata, TypeDefinition type) =>
        type.GetCustomAttributes().Select(metadata.GetCustomAttribute)
            .Any(attribute => NameOf(metadata, ClassOf(metadata, attribute)) == "System.Runtime.CompilerServices.CompilerGeneratedAttribute");

    public static string NameOf(MetadataReader metadata, EntityHandle type) => type.Kind switch
    {
        _ when type.IsNil => "",
        HandleKind.TypeDefinition => Instance.GetTypeFromDefinition(metadata, (TypeDefinitionHandle)type, 0),
        HandleKind.TypeReference => Instance.GetTypeFromReference(metadata, (TypeReferenceHandle)type, 0),
        HandleKind.TypeSpecification => Instance.GetTypeFromSpecification(metadata, null, (TypeSpecificationHandle)type, 0),
        _ => "",
    };

    public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
    {
        TypeDefinition type = reader.GetTypeDefinition(handle);
        TypeDefinitionHandle outer = type.GetDeclaringType();
        return Join(outer.IsNil ? reader.GetString(type.Namespace) : NameOf(reader, outer), reader.GetString(type.Name));
    }

    public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
    {
        TypeReference type = reader.GetTypeReference(handle);
        bool nested = type.ResolutionScope.Kind == HandleKind.TypeReference;
        return Join(nested ? NameOf(reader, type.ResolutionScope) : reader.GetString(type.Namespace), reader.GetString(type.Name));
    }

    public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    /// <summary>What only wraps one value is as risky as the value.</summary>
    public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) =>
        genericType is "System.Nullable`1" or "System.Lazy`1" or "System.Threading.ThreadLocal`1" ? typeArguments[0] : genericType;

    public string GetPrimitiveType(PrimitiveTypeCode typeCode) => $"System.{typeCode}";

    public string GetSZArrayType(string elementType) => $"{elementType}[]";

    public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[*]";

    public string GetByReferenceType(string elementType) => $"{elementType}&";

    public string GetPointerType(string elementType) => $"{elementType}*";

    public string GetFunctionPointerType(MethodSignature<string> signature) => "*";

    public string GetGenericMethodParameter(object? genericContext, int index) => $"!!{index}";

    public string GetGenericTypeParameter(object? genericContext, int index) => $"!{index}";

    public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

    public string GetPinnedType(string elementType) => elementType;

    private static string Join(string outer, string name) => outer.Length == 0 ? name : $"{outer}.{name}";

    private static List<string> ParentsOf(MetadataReader metadata, TypeDefinition type) =>
    [
        NameOf(metadata, type.BaseType),
        .. type.GetInterfaceImplementations().Select(handle => NameOf(metadata, metadata.GetInterfaceImplementation(handle).Interface)),
    ];

    private static EntityHandle ClassOf(MetadataReader metadata, CustomAttribute attribute) => attribute.Constructor.Kind switch
    {
        HandleKind.MemberReference => metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent,
        HandleKind.MethodDefinition => metadata.GetMethodDefinition((MethodDefinitionHandle)attribute.Constructor).GetDeclaringType(),
        _ => default,
    };
}
