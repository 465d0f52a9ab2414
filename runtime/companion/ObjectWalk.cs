using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Threading;

namespace DotnetSnapshot.Companion;

/// <summary>
/// Looks at every object that can be reached from others by their fields, and keeps those that are sought. It runs no code of
/// theirs and no static constructor, so static fields are not among the ways.
/// </summary>
internal sealed class ObjectWalk(Predicate<object> sought)
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private const int MostObjects = 500_000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>By type, the fields that may lead on.</summary>
    private readonly Dictionary<Type, FieldInfo[]> _ways = [];

    /// <summary>By object, the one that it was first reached from, and by which field.</summary>
    private readonly Dictionary<object, (object? Owner, FieldInfo? Field)> _seen = new(ReferenceEqualityComparer.Instance);

    private readonly Queue<object> _next = new();

    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>What was sought, in the order of its distance; what lies behind it is not looked at.</summary>
    public List<object> Found { get; } = [];

    /// <summary>False where it gave up before it had seen everything.</summary>
    public bool From(object? root)
    {
        See(root, null, null, inPlace: false);
        while (!IsLate && _next.TryDequeue(out object? current))
        {
            LookInto(current, current, null);
        }

        return !IsLate;
    }

    /// <summary>The member that holds it, as it stands in the source: the nearest that is not of the framework, else the nearest that is no collection.</summary>
    public string HolderOf(object target)
    {
        string? nearest = null;
        object at = target;
        while (_seen[at] is { Owner: { } owner, Field: var field })
        {
            at = owner;
            if (field is null)
            {
                continue;
            }

            Type type = field.DeclaringType!;
            string name = $"{NameOf(type)}.{RiskyMembersKinds.MemberName(field.Name)}";
            if (!IsOfFramework(type))
            {
                return name;
            }

            nearest ??= type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true ? null : name;
        }

        return nearest ?? target.GetType().Name;
    }

    private bool IsLate => _seen.Count > MostObjects || Stopwatch.GetElapsedTime(_start) > s_patience;

    /// <summary>Of a closure, the method's class.</summary>
    private static string NameOf(Type type)
    {
        Type named = type;
        while (named.Name.StartsWith('<') && named.DeclaringType is { } outer)
        {
            named = outer;
        }

        return Regex.Replace(named.FullName ?? named.Name, @"`[0-9]+|\[.*\]", "").Replace('+', '.');
    }

    private static bool IsOfFramework(Type type) =>
        type.Assembly.GetName().Name is { } name
        && (name.StartsWith("System.", StringComparison.Ordinal) || name.StartsWith("Microsoft.", StringComparison.Ordinal) || name is "netstandard" or "mscorlib");

    private void LookInto(object current, object owner, FieldInfo? by)
    {
        switch (current)
        {
            case Delegate called:
                foreach (Delegate one in called.GetInvocationList())
                {
                    See(one.Target, owner, by, inPlace: false);
                }

                break;
            case Array items:
                Type type = items.GetType().GetElementType()!;
                if (!type.IsValueType || WaysOf(type).Length > 0)
                {
                    foreach (object? item in items)
                    {
                        if (IsLate)
                        {
                            break;
                        }

                        See(item, owner, by, type.IsValueType);
                    }
                }

                break;
            default:
                foreach (FieldInfo field in WaysOf(current.GetType()))
                {
                    See(field.GetValue(current), owner, field, field.FieldType.IsValueType);
                }

                break;
        }
    }

    /// <summary>`inPlace`: a value that is a part of its owner, and boxed only for this look.</summary>
    private void See(object? target, object? owner, FieldInfo? field, bool inPlace)
    {
        if (target is null || !LeadsOn(target.GetType()))
        {
            return;
        }

        if (inPlace)
        {
            LookInto(target, owner!, field);
        }
        else if (_seen.TryAdd(target, (owner, field)))
        {
            if (sought(target))
            {
                Found.Add(target);
            }
            else
            {
                _next.Enqueue(target);
            }
        }
    }

    private bool LeadsOn(Type type)
    {
        if (type.IsArray)
        {
            // Not by the item's own ways: a value may hold an array of its like.
            Type item = type.GetElementType()!;
            return item.IsValueType ? !item.IsPrimitive && !item.IsEnum : LeadsOn(item);
        }

        return !(type.IsPrimitive || type.IsEnum || type.IsPointer || type == typeof(string) || type.IsFunctionPointer || type == typeof(Pointer)
            || typeof(MemberInfo).IsAssignableFrom(type) || typeof(Assembly).IsAssignableFrom(type) || typeof(Module).IsAssignableFrom(type)
            || type == typeof(Thread) || (type.IsValueType && WaysOf(type).Length == 0));
    }

    private FieldInfo[] WaysOf(Type type)
    {
        if (!_ways.TryGetValue(type, out FieldInfo[]? ways))
        {
            List<FieldInfo> all = [];
            for (Type? level = type; level is not null; level = level.BaseType)
            {
                all.AddRange(level.GetFields(Fields));
            }

            _ways[type] = ways = [.. all.Where(field => !field.FieldType.IsByRefLike && LeadsOn(field.FieldType))];
        }

        return ways;
    }
}
