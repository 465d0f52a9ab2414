using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;

namespace DotnetSnapshot.Companion;

/// <summary>One instruction of a method: its code, and the token that it names, or 0.</summary>
internal readonly record struct Instruction(ILOpCode Code, int Token);

/// <summary>Reads the instructions of methods without running them.</summary>
internal static class Il
{
    private static readonly Dictionary<ushort, OperandType> s_operands = typeof(OpCodes)
        .GetFields(BindingFlags.Static | BindingFlags.Public)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => (ushort)code.Value, code => code.OperandType);

    /// <summary>Throws <see cref="BadImageFormatException"/> where the bytes are no instructions.</summary>
    public static List<Instruction> Read(BlobReader bytes)
    {
        List<Instruction> instructions = [];
        while (bytes.RemainingBytes > 0)
        {
            ushort code = bytes.ReadByte();
            if (code == 0xFE)
            {
                code = (ushort)(0xFE00 | bytes.ReadByte());
            }

            int token = 0;
            switch (s_operands.TryGetValue(code, out OperandType operand) ? operand : throw new BadImageFormatException())
            {
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    bytes.Offset++;
                    break;
                case OperandType.InlineVar:
                    bytes.Offset += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    bytes.Offset += 8;
                    break;
                case OperandType.InlineSwitch:
                    int targets = bytes.ReadInt32();
                    bytes.Offset += 4 * targets;
                    break;
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineString or OperandType.InlineTok or OperandType.InlineType:
                    token = bytes.ReadInt32();
                    break;
                default:
                    bytes.Offset += 4;
                    break;
            }

            if (code != (ushort)ILOpCode.Nop)
            {
                instructions.Add(new Instruction((ILOpCode)code, token));
            }
        }

        return instructions;
    }
}
