using CdcMigrator.Service.Switching;

namespace CdcMigrator.UnitTests.Service;

/// <summary>Rows of a closed side that somebody else changed: only where the migration cannot have done it.</summary>
public sealed class LeakRuleTests
{
    private readonly LeakRule rule = new();

    [Fact]
    public void Rows_that_change_while_nothing_of_the_migration_moves_are_others()
    {
        Assert.Equal([0, 0, 0, 3, 0], Looks((100, "a"), (100, "a"), (100, "a"), (103, "a"), (103, "a")));
    }

    [Fact]
    public void Rows_the_migration_may_have_written_are_not_counted_however_late_the_server_counts_them()
    {
        Assert.Equal([0, 0, 0, 0, 0, 0], Looks((100, "a"), (105, "b"), (105, "b"), (105, "b"), (107, "c"), (110, "c")));
    }

    [Fact]
    public void What_was_there_at_the_first_look_and_statistics_that_begin_anew_count_nothing()
    {
        Assert.Equal([0, 0, 0, 0, 2], Looks((1_000_000, "a"), (1_000_000, "a"), (1_000_000, "a"), (0, "a"), (2, "a")));
    }

    [Fact]
    public void What_others_write_within_a_minute_of_the_migrations_own_writes_is_not_seen()
    {
        Assert.Equal([0, 0, 0, 0], Looks((0, "a"), (0, "a"), (5, "b"), (9, "b")));
    }

    private List<long> Looks(params (long Rows, string Moves)[] looks) => [.. looks.Select(look => rule.Look(look.Rows, look.Moves))];
}
