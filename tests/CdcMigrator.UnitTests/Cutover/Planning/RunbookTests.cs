using System.Text.RegularExpressions;
using CdcMigrator.Cli;
using CdcMigrator.Cli.Output;
using CdcMigrator.Cutover.Planning;
using CdcMigrator.TestKit.Golden;

namespace CdcMigrator.UnitTests.Cutover.Planning;

/// <summary>A runbook names what there is, and says what has to be said.</summary>
public sealed partial class RunbookTests
{
    public static TheoryData<Strategy, string> Books() => new()
    {
        { Strategy.BigBang, "postgresql" }, { Strategy.ChangeDataCapture, "postgresql" }, { Strategy.ChangeDataCapture, "mariadb" }, { Strategy.DualWrite, "postgresql" }, { Strategy.Strangler, "postgresql" },
    };

    [Fact]
    public void The_runbook_is_frozen() => GoldenFile.Matches("runbook", Render(Strategy.ChangeDataCapture, "postgresql"));

    [Theory]
    [MemberData(nameof(Books))]
    public void Every_command_it_names_is_one_that_parses(Strategy strategy, string engine)
    {
        var root = new CommandLine(new Terminal(TextWriter.Null, TextWriter.Null, isInteractive: false), _ => null).Root;
        var commands = Command().Matches(Render(strategy, engine)).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(commands);
        Assert.All(commands, command => Assert.True(root.Parse(command.Split(' ')).Errors.Count == 0, $"cdcm {command}: {string.Join(' ', root.Parse(command.Split(' ')).Errors.Select(error => error.Message))}"));
    }

    [Theory]
    [MemberData(nameof(Books))]
    public void It_has_steps_for_every_day_a_way_back_and_a_message_for_each_occasion(Strategy strategy, string engine)
    {
        var text = Render(strategy, engine);
        Assert.All(
            new[] { "## Roles", "## Preparation", "## Rehearsal", "## T-7", "## T-1", "## T0", "## Rollback", "## Communication", "### T-7", "### T-1", "### T0", "### Rollback", "### Done", "point of no return" },
            heading => Assert.Contains(heading, text, StringComparison.Ordinal));
        Assert.DoesNotContain("{", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Groups_are_listed_in_their_order_where_tables_move_by_groups() =>
        Assert.Contains("1. public.customers, public.items, public.orders (4,200,000 rows, 960 MB)\n2. public.events (12,000,000 rows, 4 GB)", Render(Strategy.Strangler, "postgresql"), StringComparison.Ordinal);

    private static string Render(Strategy strategy, string engine)
    {
        var plan = Planner.Of(Audits.Shop with { Source = Audits.Shop.Source with { Engine = engine } }, new PlanWishes(), new UnitCosts(), new HashSet<string>());
        return Runbook.Render(plan with { Strategies = [new StrategyScore(strategy, 90, []), .. plan.Strategies.Where(score => score.Strategy != strategy)] }, "migration.yaml");
    }

    [GeneratedRegex("`cdcm ([^`]+)`")]
    private static partial Regex Command();
}
