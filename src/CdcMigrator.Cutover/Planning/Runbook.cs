using System.Text;

namespace CdcMigrator.Cutover.Planning;

/// <summary>
/// The runbook of a migration as Markdown: what is done when, by whom, by which command, and what is said to whom. A step names a command where there is one, and what must be true
/// everywhere. Pure.
/// </summary>
public static class Runbook
{
    /// <summary>The text.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="file">The migration file as commands name it.</param>
    public static string Render(MigrationPlan plan, string file)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(file);
        var text = new StringBuilder();
        var facts = new RunbookFacts(plan, file);
        text.Append($"""
            # Runbook: {plan.Migration}

            From {plan.Source.Engine} {plan.Source.Version}, database {plan.Source.Database}, to PostgreSQL, by {facts.Strategy}. {plan.Sizing.Rows:N0} rows, {PlanText.Bytes(plan.Sizing.Bytes)}.
            Made from the audit of {plan.AuditedAt:u}; make it anew when the source has changed. A step is done when what stands behind it is true, not when its command was run.

            {Roles}

            """);
        text.Append(plan.Recommended switch
        {
            Strategy.BigBang => RunbookBigBang.Steps(facts),
            Strategy.DualWrite => RunbookDualWrite.Steps(facts),
            _ => RunbookCapture.Steps(facts),
        });
        text.Append('\n').Append(RunbookMessages.Render(facts));
        return text.ToString().ReplaceLineEndings("\n");
    }

    private const string Roles = """
        ## Roles

        | role | does | decides |
        |---|---|---|
        | lead | calls each step, keeps the time | go or no go, rollback |
        | database engineer | source, target, replication, sequences | whether a finding may stand |
        | platform engineer | Kafka, Connect, the service, routing | – |
        | application owner | stops batch jobs, tests the application behind the switch | whether the application works |
        | communication | sends the messages below, answers questions | – |

        One person may have several roles; lead and database engineer are two people on the day.

        """;
}
