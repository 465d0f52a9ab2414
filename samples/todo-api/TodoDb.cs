using Microsoft.EntityFrameworkCore;

namespace TodoApi;

public sealed class TodoDb(DbContextOptions<TodoDb> options) : DbContext(options)
{
    public DbSet<Todo> Todos => Set<Todo>();

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Todo>(todo =>
    {
        todo.Property(t => t.Priority).HasConversion<string>().HasMaxLength(10);
        todo.HasIndex(t => new { t.List, t.DueOn });
    });
}
