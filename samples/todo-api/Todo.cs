using System.ComponentModel.DataAnnotations;

namespace TodoApi;

public enum Priority { Low, Normal, High }

/// <summary>One thing to do, as it is stored and as it is answered.</summary>
public sealed class Todo
{
    public const string DefaultList = "inbox";

    public int Id { get; private set; }
    [MaxLength(100)] public required string Title { get; set; }
    [MaxLength(40)] public required string List { get; set; }
    public Priority Priority { get; set; }
    public DateOnly? DueOn { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? DoneAt { get; private set; }

    public bool Done => DoneAt is not null;

    /// <summary>Finishing twice keeps the first moment; reopening forgets it.</summary>
    public void Mark(bool done, DateTimeOffset now) => DoneAt = done ? DoneAt ?? now : null;
}

/// <summary>The body of POST and PUT.</summary>
public sealed record TodoInput(
    [Required, StringLength(100, MinimumLength = 1)] string? Title,
    [RegularExpression("^[a-z][a-z0-9-]{0,39}$", ErrorMessage = "A list name is lower-case letters, digits and dashes.")] string? List = null,
    [EnumDataType(typeof(Priority))] Priority Priority = Priority.Normal,
    DateOnly? DueOn = null,
    bool Done = false);

/// <summary>The query string of GET /todos.</summary>
public sealed record TodoFilter(
    string? List = null,
    bool? Done = null,
    Priority? Priority = null,
    [StringLength(100)] string? Search = null,
    [Range(1, 100_000)] int Page = 1,
    [Range(1, 100)] int Size = 20);

public sealed record TodoPage(int Page, int Size, int Total, IReadOnlyList<Todo> Items);

/// <summary>How one list stands.</summary>
public sealed record ListStats(string List, int Total, int Done, int Overdue, Priority Highest, DateOnly? NextDue);

public sealed record Cleared(string List, int Removed);
