using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace TodoApi;

public static class TodoEndpoints
{
    public static void MapTodos(this IEndpointRouteBuilder app)
    {
        var todos = app.MapGroup("/todos");
        todos.MapGet("/", List);
        todos.MapGet("/stats", Stats);
        todos.MapGet("/{id:int}", Get).WithName(nameof(Get));
        todos.MapPost("/", Add);
        todos.MapPut("/{id:int}", Replace);
        todos.MapDelete("/{id:int}", Delete);
        todos.MapDelete("/", Clear);
    }

    /// <summary>
    /// Each combination of filters is a query of its own, which EF compiles when it is first asked. The recorded
    /// traffic asks three of the sixteen, so all are asked before the checkpoint.
    /// </summary>
    public static async Task AskWithAllFilters(IServiceProvider services, CancellationToken cancel)
    {
        var db = services.GetRequiredService<TodoDb>();
        foreach (var list in new[] { null, Todo.DefaultList })
        foreach (var done in new bool?[] { null, false })
        foreach (var priority in new Priority?[] { null, Priority.Normal })
        foreach (var search in new[] { null, "milk" })
        {
            await List(new TodoFilter(list, done, priority, search), db, cancel);
        }
    }

    private static async Task<Ok<TodoPage>> List([AsParameters] TodoFilter filter, TodoDb db, CancellationToken cancel)
    {
        var query = db.Todos.AsNoTracking();
        if (filter.List is { } list) query = query.Where(t => t.List == list);
        if (filter.Done is { } done) query = query.Where(t => t.DoneAt != null == done);
        if (filter.Priority is { } priority) query = query.Where(t => t.Priority == priority);
        if (filter.Search is { Length: > 0 } text) query = query.Where(t => t.Title.ToLower().Contains(text.ToLower()));

        var total = await query.CountAsync(cancel);
        var items = await query
            .OrderBy(t => t.DueOn == null).ThenBy(t => t.DueOn).ThenBy(t => t.Id)
            .Skip((filter.Page - 1) * filter.Size).Take(filter.Size)
            .ToListAsync(cancel);
        return TypedResults.Ok(new TodoPage(filter.Page, filter.Size, total, items));
    }

    private static async Task<Ok<List<ListStats>>> Stats(TodoDb db, TimeProvider clock, CancellationToken cancel)
    {
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var rows = await db.Todos
            .GroupBy(t => t.List)
            .Select(list => new
            {
                Name = list.Key,
                Total = list.Count(),
                Done = list.Count(t => t.DoneAt != null),
                Overdue = list.Count(t => t.DoneAt == null && t.DueOn < today),
                High = list.Count(t => t.Priority == Priority.High),
                Normal = list.Count(t => t.Priority == Priority.Normal),
                NextDue = list.Where(t => t.DoneAt == null).Min(t => t.DueOn),
            })
            .OrderByDescending(list => list.Total).ThenBy(list => list.Name)
            .ToListAsync(cancel);

        return TypedResults.Ok(rows.ConvertAll(r => new ListStats(
            r.Name, r.Total, r.Done, r.Overdue,
            r.High > 0 ? Priority.High : r.Normal > 0 ? Priority.Normal : Priority.Low,
            r.NextDue)));
    }

    private static async Task<Results<Ok<Todo>, NotFound>> Get(int id, TodoDb db, CancellationToken cancel) =>
        await db.Todos.AsNoTracking().FirstOrDefaultAsync(t => t.Id == id, cancel) is { } todo
            ? TypedResults.Ok(todo)
            : TypedResults.NotFound();

    private static async Task<CreatedAtRoute<Todo>> Add(TodoInput input, TodoDb db, TimeProvider clock, CancellationToken cancel)
    {
        var todo = new Todo
        {
            Title = input.Title!,
            List = input.List ?? Todo.DefaultList,
            Priority = input.Priority,
            DueOn = input.DueOn,
            CreatedAt = clock.GetUtcNow(),
        };
        todo.Mark(input.Done, clock.GetUtcNow());
        db.Todos.Add(todo);
        await db.SaveChangesAsync(cancel);
        return TypedResults.CreatedAtRoute(todo, nameof(Get), new { id = todo.Id });
    }

    private static async Task<Results<Ok<Todo>, NotFound>> Replace(
        int id, TodoInput input, TodoDb db, TimeProvider clock, CancellationToken cancel)
    {
        if (await db.Todos.FindAsync([id], cancel) is not { } todo) return TypedResults.NotFound();

        todo.Title = input.Title!;
        todo.List = input.List ?? Todo.DefaultList;
        todo.Priority = input.Priority;
        todo.DueOn = input.DueOn;
        todo.Mark(input.Done, clock.GetUtcNow());
        await db.SaveChangesAsync(cancel);
        return TypedResults.Ok(todo);
    }

    private static async Task<Results<NoContent, NotFound>> Delete(int id, TodoDb db, CancellationToken cancel)
    {
        if (await db.Todos.FindAsync([id], cancel) is not { } todo) return TypedResults.NotFound();

        db.Todos.Remove(todo);
        await db.SaveChangesAsync(cancel);
        return TypedResults.NoContent();
    }

    /// <summary>Removes a whole list; its name must be given, so that nobody empties everything by a slip.</summary>
    private static async Task<Ok<Cleared>> Clear(string list, TodoDb db, CancellationToken cancel)
    {
        var todos = await db.Todos.Where(t => t.List == list).ToListAsync(cancel);
        db.Todos.RemoveRange(todos);
        await db.SaveChangesAsync(cancel);
        return TypedResults.Ok(new Cleared(list, todos.Count));
    }
}
