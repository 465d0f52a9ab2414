using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace DotnetSnapshot.Companion;

/// <summary>
/// The objects of the app that can be reached from the services of its hosts and from what listens to its activities and
/// measurements. Static fields are read with care: that can run the code which fills them.
/// </summary>
internal static class ObjectGraph
{
    /// <summary>The most objects that are looked at, nearest first: an app may hold millions of records.</summary>
    private const int MostObjects = 500_000;

    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>Where the framework and libraries keep what an app has made: assembly, type, and a static field or property.</summary>
    private static readonly (string Assembly, string Type, string Member)[] s_roots =
    [
        ("System.Diagnostics.DiagnosticSource", "System.Diagnostics.ActivitySource", "s_allListeners"),
        ("System.Diagnostics.DiagnosticSource", "System.Diagnostics.Metrics.MeterListener", "s_allStartedListeners"),
        ("Microsoft.EntityFrameworkCore", "Microsoft.EntityFrameworkCore.Internal.ServiceProviderCache", "Instance"),
        ("Serilog", "Serilog.Log", "_logger"),
    ];

    /// <summary>Those of a type, also from static fields of the app's code.</summary>
    public static List<T> Find<T>(AppHost host)
        where T : class => Find(host, StaticsOfApp(typeof(T)), typeof(T).IsAssignableFrom).ConvertAll(found => (T)found);

    /// <summary>Those for which `isWanted` is true, by their type.</summary>
    public static List<object> Find(AppHost host, IEnumerable<object> more, Func<Type, bool> isWanted)
    {
        List<object> found = [];
        Dictionary<Type, (bool IsWanted, FieldInfo[] Fields)> types = [];
        HashSet<object> seen = new(ReferenceEqualityComparer.Instance);
        Queue<object> next = new();
        foreach (object root in host.All.Concat(more))
        {
            Add(root);
        }

        foreach ((string assembly, string type, string member) in s_roots)
        {
            Add(Loaded.Find(assembly, type) is { } owner ? Loaded.Static(owner, member) : null);
        }

        while (next.TryDequeue(out object? current))
        {
            Look(current);
        }

        return found;

        void Add(object? value)
        {
            if (value is null or string or MemberInfo or Assembly or Module or Pointer)
            {
                return;
            }

            if (value.GetType().IsValueType)
            {
                // A copy; what it refers to is not.
                if (!value.GetType().IsPrimitive && !value.GetType().IsEnum)
                {
                    Look(value);
                }
            }
            else if (seen.Count < MostObjects && seen.Add(value))
            {
                next.Enqueue(value);
            }
        }

        void Look(object current)
        {
            if (current is Array array)
            {
                if (HasReferences(array.GetType().GetElementType()!))
                {
                    foreach (object? item in array)
                    {
                        Add(item);
                    }
                }

                return;
            }

            (bool wanted, FieldInfo[] fields) = Of(current.GetType());
            if (wanted)
            {
                found.Add(current);
            }

            foreach (FieldInfo field in fields)
            {
                Add(ValueOf(field, current));
            }
        }

        (bool, FieldInfo[]) Of(Type type)
        {
            if (!types.TryGetValue(type, out (bool, FieldInfo[]) known))
            {
                List<FieldInfo> fields = [];
                for (Type? level = type; level is not null && level != typeof(object); level = level.BaseType)
                {
                    fields.AddRange(Array.FindAll(level.GetFields(Fields), field => HasReferences(field.FieldType)));
                }

                types[type] = known = (isWanted(type), [.. fields]);
            }

            return known;
        }
    }

    /// <summary>
    /// What the static fields of the app's and its packages' types hold. To look into a type runs its initializer where that has not run
    /// yet, so that of one which has an initializer only fields are read that say by their type that they may be `sought`.
    /// </summary>
    private static IEnumerable<object> StaticsOfApp(Type sought)
    {
        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies().Where(IsOfApp))
        {
            Type[] types;
            try
            {
                types = assembly.GetTypes();
            }
            catch (ReflectionTypeLoadException error)
            {
                types = error.Types.OfType<Type>().ToArray();
            }

            foreach (Type type in types.Where(type => !type.ContainsGenericParameters))
            {
                foreach (FieldInfo field in type.GetFields(Fields & ~BindingFlags.Instance | BindingFlags.Static).Where(field => !field.IsLiteral && HasReferences(field.FieldType)))
                {
                    if ((type.TypeInitializer is null || MayBe(sought, field.FieldType)) && ValueOf(field, null) is { } value)
                    {
                        yield return value;
                    }
                }
            }
        }
    }

    private static object? ValueOf(FieldInfo field, object? target)
    {
        try
        {
            return field.GetValue(target);
        }
#pragma warning disable CA1031 // An initializer of the app that fails has failed for the app, too; what reflection refuses leads to nothing.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    private static bool IsOfApp(Assembly assembly) =>
        !assembly.IsDynamic && assembly != typeof(ObjectGraph).Assembly && StartReads.IsOfApp(assembly.GetName().Name ?? "");

    private static bool MayBe(Type sought, Type type) => sought.IsAssignableFrom(type) || (type != typeof(object) && type.IsAssignableFrom(sought));

    private static bool HasReferences(Type type) =>
        !type.IsPrimitive && !type.IsEnum && !type.IsPointer && !type.IsFunctionPointer && !type.IsByRefLike && type != typeof(string)
        && (!type.IsValueType || Array.Exists(type.GetFields(Fields), field => field.FieldType != type && HasReferences(field.FieldType)));
}
