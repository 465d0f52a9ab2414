using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>
/// What libraries make once in a process and put into each identifier: random parts, numbers of workers, reserved blocks.
/// Each clone gets its own. Parts of the libraries are looked up by name; a version that has them elsewhere is passed over, and
/// the comparison of clones finds it.
/// </summary>
internal sealed class Identities
{
    private const BindingFlags Members = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Kept in static fields of a type.</summary>
    private static readonly (string Assembly, string Type, Action<Type> Renew)[] s_ofTypes =
    [
        ("MongoDB.Bson", "MongoDB.Bson.ObjectId", type => Randomize(type, null, "__random", "__staticIncrement")),
        ("MongoDB.Bson", "MongoDB.Bson.Serialization.IdGenerators.AscendingGuidGenerator", type => Randomize(type, null, "__random", "__increment")),
        ("NewId", "MassTransit.NewId", ChooseWorkerAgain),
        ("MassTransit.Abstractions", "MassTransit.NewId", ChooseWorkerAgain),
        ("OpenTelemetry", "OpenTelemetry.Resources.ResourceBuilderExtensions", type => TrySet(type, null, "InstanceId", Guid.NewGuid().ToString())),
    ];

    /// <summary>Kept in objects, of the type or one that derives from it.</summary>
    private static readonly (string Assembly, string Type, Action<object> Renew)[] s_ofObjects =
    [
        // Without a block, the next number asks the database for one.
        ("Microsoft.EntityFrameworkCore", "Microsoft.EntityFrameworkCore.ValueGeneration.HiLoValueGeneratorState", DropBlock),
        ("DotNetCore.CAP", "DotNetCore.CAP.Internal.SnowflakeId", BeginAgain),
        ("OpenTelemetry", "OpenTelemetry.Resources.Resource", RenewResource),
        ("System.Private.CoreLib", "System.Random", Reseed),
    ];

    /// <summary>
    /// Static fields that are renewed although they are read-only. The JIT takes their values into the code that it compiles
    /// unless they are made writable before that.
    /// </summary>
    public static readonly (string Assembly, string Type, string Field)[] ReadOnly =
    [
        ("MongoDB.Bson", "MongoDB.Bson.ObjectId", "__random"),
        ("MongoDB.Bson", "MongoDB.Bson.Serialization.IdGenerators.AscendingGuidGenerator", "__random"),
        ("OpenTelemetry", "OpenTelemetry.Resources.ResourceBuilderExtensions", "InstanceId"),
    ];

    private static string s_machine = Environment.MachineName;
    private static string s_instance = "";

    private readonly List<Action> _renewals = [];

    /// <summary>Whether objects of this type hold what is to be renewed.</summary>
    public static bool Hold(Type type) => RenewalOf(type) is not null;

    /// <summary>Whether the values of a type's static fields, or of its objects, are renewed.</summary>
    public static bool IsRenewed(string assembly, string type) =>
        Array.Exists(s_ofTypes, known => known.Assembly == assembly && known.Type == type)
        || Array.Exists(s_ofObjects, known => known.Assembly == assembly && known.Type == type)
        || (assembly == "Ulid" && type == "System.RandomProvider");

    /// <summary>Notes what there is to renew, among `objects` and in types.</summary>
    public void Note(IEnumerable<object> objects)
    {
        _renewals.Clear();
        foreach ((string assembly, string name, Action<Type> renew) in s_ofTypes)
        {
            if (Loaded.Find(assembly, name) is { } type)
            {
                TryAdd(() => renew(type));
            }
        }

        foreach (object target in objects)
        {
            if (RenewalOf(target.GetType()) is { } renew)
            {
                TryAdd(() => renew(target));
            }
        }

        // What a version of a library does not allow is passed over, as what it does not have.
        void TryAdd(Action renew)
        {
            try
            {
                renew();
                _renewals.Add(renew);
            }
#pragma warning disable CA1031 // The library's code is part of it; whatever it throws, the build goes on and compares the clones.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
    }

    public void Renew()
    {
        s_instance = Guid.NewGuid().ToString();
        foreach (Action renew in _renewals)
        {
            renew();
        }

        s_machine = Environment.MachineName;
    }

    private static Action<object>? RenewalOf(Type type)
    {
        for (Type? level = type; level is not null; level = level.BaseType)
        {
            foreach ((string assembly, string name, Action<object> renew) in s_ofObjects)
            {
                if (level.FullName == name && level.Assembly.GetName().Name == assembly)
                {
                    return renew;
                }
            }
        }

        return null;
    }

    /// <summary>The next id makes a generator with the worker that this container has, unless the app has set one of its own.</summary>
    private static void ChooseWorkerAgain(Type type)
    {
        if (type.GetField("_generator", Members) is { } field && field.GetValue(null) is { } generator
            && generator.GetType().FullName == "MassTransit.NewIdGenerator"
            && ReferenceEquals(Field(generator, "_tickProvider"), type.GetField("_tickProvider", Members)?.GetValue(null)))
        {
            field.SetValue(null, null);
        }
    }

    /// <summary>As a new object of its type, which chooses its worker and its first moment by itself.</summary>
    private static void BeginAgain(object generator)
    {
        object another = Activator.CreateInstance(generator.GetType())!;
        foreach (FieldInfo field in generator.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (field.FieldType == typeof(long))
            {
                field.SetValue(generator, field.GetValue(another));
            }
        }
    }

    private static void DropBlock(object state)
    {
        for (Type? level = state.GetType(); level is not null; level = level.BaseType)
        {
            if (level.GetField("_currentValue", Members | BindingFlags.DeclaredOnly) is { } field)
            {
                field.SetValue(state, Activator.CreateInstance(field.FieldType, -1L, 0L));
            }
        }
    }

    /// <summary>`service.instance.id` where it was made at random, and all that is the name of the machine.</summary>
    private static void RenewResource(object resource)
    {
        if (Property(resource, "Attributes") is IEnumerable<KeyValuePair<string, object>> attributes)
        {
            TrySet(resource.GetType(), resource, "Attributes", attributes.Select(attribute => KeyValuePair.Create(attribute.Key, Renewed(attribute))).ToList());
        }
    }

    private static object Renewed(KeyValuePair<string, object> attribute) => attribute.Value switch
    {
        string text when text == s_machine => Environment.MachineName,
        string text when attribute.Key == "service.instance.id" && Guid.TryParse(text, out _) => s_instance,
        object value => value,
    };

    /// <summary>Only one without a seed of its own: what an app seeds it wants to repeat.</summary>
    private static void Reseed(object random)
    {
        if (Field(random, "_impl") is { } numbers && numbers.GetType().Name == "XoshiroImpl")
        {
            Randomize(numbers.GetType(), numbers, "_s0", "_s1", "_s2", "_s3");
        }
    }

    /// <summary>Gives fields random values: numbers of their whole range but for a sign, of bytes each one.</summary>
    private static void Randomize(Type type, object? target, params string[] names)
    {
        foreach (string name in names)
        {
            FieldInfo? field = type.GetField(name, Members);
            if (field?.FieldType == typeof(byte[]) && field.GetValue(target) is byte[] bytes)
            {
                Fill(bytes);
            }
            else if (field is not null && !field.IsInitOnly)
            {
                byte[] random = Fill(new byte[sizeof(ulong)]);
                ulong number = BitConverter.ToUInt64(random);
                field.SetValue(target, field.FieldType == typeof(int) ? (int)(number >> 33) : field.FieldType == typeof(long) ? (long)(number >> 24) : number);
            }
        }
    }

    /// <summary>The kernel's numbers, also in an image without OpenSSL.</summary>
    private static byte[] Fill(byte[] bytes)
    {
        // The first bytes of a GUID are random in each bit.
        for (int at = 0; at < bytes.Length; at += sizeof(int))
        {
            Guid.NewGuid().ToByteArray().AsSpan(0, Math.Min(sizeof(int), bytes.Length - at)).CopyTo(bytes.AsSpan(at));
        }

        return bytes;
    }

    private static object? Field(object target, string name) => target.GetType().GetField(name, Members)?.GetValue(target);

    private static object? Property(object target, string name) => target.GetType().GetProperty(name, Members)?.GetValue(target);

    /// <summary>A field, or the one behind a property.</summary>
    private static void TrySet(Type type, object? target, string name, object? value)
    {
        FieldInfo? field = type.GetField(name, Members) ?? type.GetField($"<{name}>k__BackingField", Members);
        if (field is not null && !(field.IsStatic && field.IsInitOnly))
        {
            field.SetValue(target, value);
        }
    }
}
