using CdcMigrator.Domain.Auditing;

namespace CdcMigrator.Cutover.Planning;

/// <summary>What may go wrong, from the audit's findings and the sizes. Pure.</summary>
internal static class PlanRisks
{
    private static readonly string[] Weights = ["high", "medium", "low"];

    /// <summary>By code of the finding.</summary>
    private static readonly Dictionary<string, (string Weight, string Risk)> OfFindings = new(StringComparer.Ordinal)
    {
        ["keyless"] = ("high", "Rows without a key cannot be told apart: changes are refused, or cost a search of the table each"),
        ["replica-identity"] = ("high", "Updates and deletes do not say which row they concern"),
        ["unlogged"] = ("high", "Changes are in no log and would be missing in the target"),
        ["cascade"] = ("high", "Rows the database changes by itself are in no binlog and would be missing in the target"),
        ["row-security"] = ("high", "Rows the role does not see would be missing in the target"),
        ["large-value"] = ("medium", "A record that Kafka refuses stops the connector"),
        ["zero-date"] = ("medium", "Dates that PostgreSQL does not have stop their lane, or become NULL"),
        ["nul-character"] = ("medium", "Text that PostgreSQL cannot store stops its lane"),
        ["out-of-range"] = ("medium", "Values the target's type does not have stop their lane"),
        ["not-boolean"] = ("medium", "Numbers that are no boolean stop their lane"),
        ["enum-empty"] = ("medium", "A label the target does not have stops its lane"),
        ["orphans"] = ("medium", "The foreign key cannot be validated in the target"),
        ["deferrable-key"] = ("medium", "The target does not enforce the key while changes are applied"),
        ["fk-outside"] = ("medium", "Half of a relation stays behind"),
        ["partitioned"] = ("medium", "A TRUNCATE of a partition is in no log"),
        ["partition"] = ("medium", "Changes are named by the root of the partitions"),
        ["inheritance"] = ("medium", "Rows of the hierarchy may be copied twice or not at all"),
        ["trigger"] = ("medium", "What triggers write may be written twice, or not at all after the switch"),
        ["long-transactions"] = ("medium", "The connector's slot, and at the cutover the fence, wait for open transactions"),
        ["inactive-slots"] = ("medium", "Slots that nobody reads fill the source's disk"),
        ["wal-unlimited"] = ("medium", "A connector that stands fills the source's disk"),
        ["wal-limit"] = ("high", "A connector that stands too long loses its slot: all tables have to be copied again"),
        ["binlog-retention"] = ("high", "A connector that stands too long loses its place in the binlog: all tables have to be copied again"),
        ["wraparound"] = ("high", "A vacuum against wraparound holds locks the fence needs"),
        ["prepared-transactions"] = ("high", "Prepared transactions can commit behind the fence's back, so that it waits for them"),
        ["sequence-headroom"] = ("medium", "A sequence is nearly used up, and the move adds a margin to it"),
        ["sequence-behind"] = ("medium", "The next value of a sequence may be taken"),
        ["large-objects"] = ("medium", "Large objects are in no table's changes"),
        ["not-migrated"] = ("medium", "Tables may be forgotten"),
        ["not-scanned"] = ("low", "Values nobody looked at may stop a lane"),
        ["sampled"] = ("low", "Values a sample did not show may stop a lane"),
        ["loose-unique-key"] = ("medium", "The target may accept rows the source refuses"),
        ["nondeterministic-collation"] = ("medium", "The target may accept rows the source refuses"),
        ["collation-version"] = ("medium", "Indexes of text in the source may be wrong, and unique keys hold doubles"),
        ["engine"] = ("medium", "A snapshot of tables without transactions is not consistent with the binlog"),
        ["extensions"] = ("low", "An extension may be missing in the target, or be of another version"),
        ["foreign-table"] = ("low", "Rows of a foreign table do not move"),
        ["materialized-views"] = ("low", "Materialized views are empty in the target until they are refreshed"),
        ["replacement-character"] = ("low", "Text that was damaged before the move is taken for the move's damage"),
    };

    public static IReadOnlyList<PlanRisk> Of(AuditReport audit, PlanWishes wishes, PlanSizing sizing)
    {
        var risks = audit.Findings.Where(finding => OfFindings.ContainsKey(finding.Code)).GroupBy(finding => finding.Code, StringComparer.Ordinal)
            .Select(group => new PlanRisk(
                OfFindings[group.Key].Weight, group.Key, OfFindings[group.Key].Risk, group.First().Fix, [.. group.Select(finding => finding.Table).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]));
        return [.. risks.Concat(OfSizes(audit, wishes, sizing)).OrderBy(risk => Array.IndexOf(Weights, risk.Weight)).ThenBy(risk => risk.Code, StringComparer.Ordinal)];
    }

    private static IEnumerable<PlanRisk> OfSizes(AuditReport audit, PlanWishes wishes, PlanSizing sizing)
    {
        if (sizing.CatchUpSeconds is null)
        {
            yield return new("high", "write-rate", $"{PlanText.Number(sizing.WritesPerSecond ?? 0)} rows are written a second ({sizing.WritesFrom}): one connector does not keep up", "Split the tables over several migrations with a connector each, or reduce writes (batch jobs) for the time of the copy", []);
        }
        else if (sizing.WritesPerSecond is null)
        {
            yield return new("low", "write-rate-unknown", "The source does not say how much it is written", "Measure it before T-7: rows a second at the busiest hour", []);
        }

        if (sizing.SourceLogBytes is { } bytes)
        {
            yield return new("medium", "source-disk", $"While the tables are copied, and for {PlanText.Seconds(wishes.Outage.TotalSeconds)} of a connector that stands, the source keeps about {PlanText.Bytes(bytes)} of its log", "Make sure that its disk has room for twice as much; alert on the slot's size", []);
        }

        if (sizing.SnapshotSeconds > 3600)
        {
            yield return new("medium", "long-snapshot", $"The first copy takes about {PlanText.Seconds(sizing.SnapshotSeconds)}, during which the source keeps its log and dead rows", "Begin it at a quiet hour; copy the largest tables afterwards, with 'cdcm tables resync'", []);
        }

        if (wishes.Rollback && audit.Source.Engine != "postgresql")
        {
            yield return new("high", "no-way-back", "To a MariaDB or MySQL source there is no way back with what was written after the switch", "Decide before the switch how long the source is kept, and what is written again by hand", []);
        }

        yield return new("low", "averages", "Rates are averages since the server's counters began; peaks are higher", "Rehearse at the busiest hour", []);
    }
}
