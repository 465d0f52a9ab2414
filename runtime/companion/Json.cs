using System.Collections.Generic;
using System.Text.Json;

namespace DotnetSnapshot.Companion;

/// <summary>Pieces of the answers. Written by hand, for a serializer would leave its caches in the snapshot, and trimmed apps lack it.</summary>
internal static class Json
{
    public static string Text(string value) => $"\"{JsonEncodedText.Encode(value)}\"";

    public static string List(IEnumerable<string> items) => $"[{string.Join(',', items)}]";
}
