using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Random values, one in each encoding that the scan knows (src/scan/canaries.ts). A scan that does not find every one of
/// them has gone blind. They lie in native memory, where no collection moves or copies them.
/// </summary>
internal static unsafe class Canaries
{
    /// <summary>Bytes of each canary's own piece of memory; what it does not fill are zeros, which keep it apart from the next.</summary>
    private const int Slot = 256;

    private static readonly (string Encoding, int Address, CanaryForm Write)[] s_forms =
    [
        ("utf-8", 0, CanaryForms.Utf8),
        ("utf-16le", 0, CanaryForms.Utf16),
        ("utf-16le odd", 1, CanaryForms.Utf16),
        ("utf-8 > base64", 0, CanaryForms.Base64),
        ("utf-8 > base64url", 0, CanaryForms.Base64Url),
        ("utf-8 > hex", 0, CanaryForms.Hex),
        ("utf-8 > url", 0, CanaryForms.Url),
        ("utf-8 > json", 0, CanaryForms.Json),
        ("gzip > utf-8", 0, CanaryForms.Gzip),
    ];

    private static byte* s_memory;

    /// <summary>
    /// Plants fresh ones in place of earlier ones. Answers with their seeds: a canary holds the hex digits of its seed,
    /// which the seed's own form, in groups with hyphens, does not. So a canary is nowhere in the memory but where it was planted.
    /// </summary>
    public static string Plant()
    {
        if (s_memory is null)
        {
            s_memory = (byte*)NativeMemory.AlignedAlloc((nuint)(s_forms.Length * Slot), Slot);
        }

        Span<byte> memory = new(s_memory, s_forms.Length * Slot);
        memory.Clear();
        Span<byte> plain = stackalloc byte[CanaryForms.Length];
        List<string> planted = [];
        for (int index = 0; index < s_forms.Length; index++)
        {
            (string encoding, int address, CanaryForm write) = s_forms[index];
            // From the kernel: .NET's own cryptography needs an OpenSSL, which not every image has.
            Guid seed = Guid.NewGuid();
            CanaryForms.Spell(seed, plain);
            write(plain, memory.Slice((index * Slot) + address, Slot - address));
            planted.Add($$"""{"encoding":"{{encoding}}","seed":"{{seed}}"}""");
        }

        plain.Clear();
        return $$"""{"canaries":{{Json.List(planted)}}}""";
    }
}
