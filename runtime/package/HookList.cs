using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace DotnetSnapshot;

/// <summary>Hooks in the order of their registration. Safe to use from any thread.</summary>
internal sealed class HookList
{
    private readonly List<Func<ValueTask>> _hooks = [];

    public void Add(Func<ValueTask> hook)
    {
        lock (_hooks)
        {
            _hooks.Add(hook);
        }
    }

    public Func<ValueTask>[] ToArray()
    {
        lock (_hooks)
        {
            return _hooks.ToArray();
        }
    }
}
