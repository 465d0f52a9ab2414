using System;
using System.Buffers.Binary;
using System.Buffers.Text;

namespace DotnetSnapshot.Companion;

/// <summary>Writes an encoded form of a canary.</summary>
internal delegate void CanaryForm(ReadOnlySpan<byte> plain, Span<byte> to);

/// <summary>
/// The encodings of canaries, from memory of the caller's into memory of the caller's: the framework's own encoders would
/// leave copies in strings, pools and native buffers.
/// </summary>
internal static class CanaryForms
{
    private const int Digits = 32;

    /// <summary>Bytes of a canary with its tail, which is there for the characters that base64url and URLs write otherwise.</summary>
    public const int Length = 9 + Digits + 7;

    /// <summary>`dscanary{`, the digits of the seed, `}` and the tail.</summary>
    public static void Spell(Guid seed, Span<byte> plain)
    {
        "dscanary{"u8.CopyTo(plain);
        seed.TryFormat(plain[9..], out _, "N");
        "}???>>>"u8.CopyTo(plain[(9 + Digits)..]);
    }

    public static void Utf8(ReadOnlySpan<byte> plain, Span<byte> to) => plain.CopyTo(to);

    public static void Utf16(ReadOnlySpan<byte> plain, Span<byte> to)
    {
        for (int index = 0; index < plain.Length; index++)
        {
            to[2 * index] = plain[index];
        }
    }

    public static void Base64(ReadOnlySpan<byte> plain, Span<byte> to) => System.Buffers.Text.Base64.EncodeToUtf8(plain, to, out _, out _);

    public static void Base64Url(ReadOnlySpan<byte> plain, Span<byte> to)
    {
        Base64(plain, to);
        // The length is a multiple of three, so there is no padding.
        to.Replace((byte)'+', (byte)'-');
        to.Replace((byte)'/', (byte)'_');
    }

    public static void Hex(ReadOnlySpan<byte> plain, Span<byte> to)
    {
        for (int index = 0; index < plain.Length; index++)
        {
            Utf8Formatter.TryFormat(plain[index], to[(2 * index)..], out _, new('x', 2));
        }
    }

    public static void Url(ReadOnlySpan<byte> plain, Span<byte> to) => Escape(plain, to, "%"u8);

    public static void Json(ReadOnlySpan<byte> plain, Span<byte> to) => Escape(plain, to, "\\u00"u8);

    /// <summary>
    /// A gzip stream (RFC 1952) of one block with fixed codes (RFC 1951, 3.2.6), in which each of these characters has
    /// a code of eight bits: a compressed form that holds the canary in no other.
    /// </summary>
    public static void Gzip(ReadOnlySpan<byte> plain, Span<byte> to)
    {
        ReadOnlySpan<byte> header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        header.CopyTo(to);
        // The last block, of type 1.
        const int HeaderBits = 3;
        to[header.Length] = 0b011;
        int bit = HeaderBits;
        foreach (byte letter in plain)
        {
            int code = Reversed((byte)(0x30 + letter)) << (bit & 7);
            to[header.Length + (bit >> 3)] |= (byte)code;
            to[header.Length + (bit >> 3) + 1] |= (byte)(code >> 8);
            bit += 8;
        }

        // The end of a block is seven zeros.
        int end = header.Length + ((bit + 7 + 7) >> 3);
        BinaryPrimitives.WriteUInt32LittleEndian(to[end..], Crc32(plain));
        BinaryPrimitives.WriteInt32LittleEndian(to[(end + 4)..], plain.Length);
    }

    /// <summary>Letters and digits as they are, everything else as `prefix` and two hex digits.</summary>
    private static void Escape(ReadOnlySpan<byte> plain, Span<byte> to, ReadOnlySpan<byte> prefix)
    {
        int at = 0;
        foreach (byte letter in plain)
        {
            if (char.IsAsciiLetterOrDigit((char)letter))
            {
                to[at++] = letter;
                continue;
            }

            prefix.CopyTo(to[at..]);
            Utf8Formatter.TryFormat(letter, to[(at + prefix.Length)..], out _, new('X', 2));
            at += prefix.Length + 2;
        }
    }

    private static int Reversed(byte value)
    {
        int reversed = 0;
        for (int bit = 0; bit < 8; bit++)
        {
            reversed |= ((value >> bit) & 1) << (7 - bit);
        }

        return reversed;
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (0xedb88320 & (uint)-(int)(crc & 1));
            }
        }

        return ~crc;
    }
}
