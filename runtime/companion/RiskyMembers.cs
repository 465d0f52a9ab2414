using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Reflection.Metadata;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Members whose value every clone of the app will share, by their types and names; of packages only what ids may be made of. Only metadata is
/// read: nothing of the app is loaded or run for it.
/// </summary>
internal static class RiskyMembers
{
    /// <summary>The launcher carries lines of up to 65,536 bytes; what is written here is ASCII.</summary>
    private const int MostCharacters = 60_000;

    /// <summary>
    /// `{"members":[{"kind":…,"assembly":…,"type":…,"member":…}],"unread":["assembly", …],"omitted":N}`, members in the
    /// order of their names; `omitted` is how many did not fit.
    /// </summary>
    public static string Describe()
    {
        try
        {
            return Read();
        }
        catch (Exception error) when (error is FileNotFoundException or TypeLoadException or MissingMemberException)
        {
            // A trimmed app may have come without the framework's metadata reader.
            return $$"""{"members":[],"unread":["{{Assembly.GetEntryAssembly()?.GetName().Name}}"],"omitted":0}""";
        }
    }

    // Not inlined: what a trimmed app lacks is missed when this method is compiled.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string Read()
    {
        using RiskyMembersAssemblies own = RiskyMembersAssemblies.Open();
        List<(string Name, List<string> Parents)> types = [];
        own.ForEach((_, isOwn, metadata) => types.AddRange(isOwn ? RiskyMembersTypes.In(metadata) : []));
        HashSet<string> hosted = RiskyMembersTypes.Hosted(types);
        List<(string Assembly, string Type, string Member, string Kind)> members = [];
        own.ForEach((assembly, isOwn, metadata) => members.AddRange(MembersOf(metadata, hosted)
            .Where(found => isOwn || (RiskyMembersKinds.IsOfIdentity(found.Kind) && !Identities.IsRenewed(assembly, found.Type)))
            .Select(found => (assembly, found.Type, found.Member, found.Kind))));

        List<string> written = [];
        int characters = 0;
        foreach ((string assembly, string type, string member, string kind) in members
            .OrderBy(found => found.Assembly, StringComparer.Ordinal)
            .ThenBy(found => found.Type, StringComparer.Ordinal)
            .ThenBy(found => found.Member, StringComparer.Ordinal))
        {
            string text = $$"""{"kind":"{{kind}}","assembly":{{Json(assembly)}},"type":{{Json(type)}},"member":{{Json(member)}}}""";
            characters += text.Length + 1;
            if (characters > MostCharacters)
            {
                break;
            }

            written.Add(text);
        }

        string unread = string.Join(',', own.Unread.Select(Json));
        return $$"""{"members":[{{string.Join(',', written)}}],"unread":[{{unread}}],"omitted":{{members.Count - written.Count}}}""";
    }

    // Not JsonSerializer: apps may have switched its reflection off.
    private static string Json(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    /// <summary>Static fields, and the timers of services that start with the app.</summary>
    private static IEnumerable<(string Type, string Member, string Kind)> MembersOf(MetadataReader metadata, HashSet<string> hosted)
    {
        foreach (TypeDefinitionHandle handle in metadata.TypeDefinitions)
        {
            TypeDefinition type = metadata.GetTypeDefinition(handle);
            if (RiskyMembersTypes.IsCompilerGenerated(metadata, type))
            {
                continue;
            }

            string typeName = RiskyMembersTypes.NameOf(metadata, handle);
            foreach (FieldDefinition field in type.GetFields().Select(metadata.GetFieldDefinition))
            {
                bool isStatic = field.Attributes.HasFlag(FieldAttributes.Static);
                if (field.Attributes.HasFlag(FieldAttributes.Literal) || (!isStatic && !hosted.Contains(typeName)))
                {
                    continue;
                }

                string name = RiskyMembersKinds.MemberName(metadata.GetString(field.Name));
                string fieldType = field.DecodeSignature(RiskyMembersTypes.Instance, null);
                if (RiskyMembersKinds.Of(fieldType, name) is { } kind && (isStatic || kind == RiskyMembersKinds.Timer))
                {
                    yield return (RiskyMembersKinds.TypeName(typeName), name, kind);
                }
            }
        }
    }
}
