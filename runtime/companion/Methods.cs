using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace DotnetSnapshot.Companion;

/// <summary>A method as code names it: `TYPE.METHOD`, and how many parameters it has.</summary>
internal sealed record Method(string Name, int Parameters);

/// <summary>The methods that an assembly defines or names.</summary>
internal sealed class Methods(MetadataReader metadata)
{
    private static readonly Method s_unknown = new("", 0);

    private readonly Dictionary<int, Method> _known = [];

    public MetadataReader Metadata => metadata;

    /// <summary>Whether code of this assembly can call one of these.</summary>
    public bool Uses(HashSet<string> names) => metadata.MemberReferences.Any(handle => names.Contains(Of(MetadataTokens.GetToken(handle)).Name));

    public Method Of(int token)
    {
        if (!_known.TryGetValue(token, out Method? method))
        {
            _known[token] = method = Resolve(MetadataTokens.EntityHandle(token));
        }

        return method;
    }

    private Method Resolve(EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.MethodSpecification:
                return Resolve(metadata.GetMethodSpecification((MethodSpecificationHandle)handle).Method);
            case HandleKind.MethodDefinition:
                MethodDefinition definition = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                return Make(definition.GetDeclaringType(), definition.Name, definition.Signature);
            case HandleKind.MemberReference:
                MemberReference reference = metadata.GetMemberReference((MemberReferenceHandle)handle);
                return reference.GetKind() == MemberReferenceKind.Method ? Make(reference.Parent, reference.Name, reference.Signature) : s_unknown;
            default:
                return s_unknown;
        }
    }

    private Method Make(EntityHandle type, StringHandle name, BlobHandle signature)
    {
        BlobReader blob = metadata.GetBlobReader(signature);
        SignatureHeader header = blob.ReadSignatureHeader();
        if (header.IsGeneric)
        {
            blob.ReadCompressedInteger();
        }

        return new Method($"{RiskyMembersTypes.NameOf(metadata, type)}.{metadata.GetString(name)}", blob.ReadCompressedInteger());
    }
}
