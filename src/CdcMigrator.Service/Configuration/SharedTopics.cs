using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Configuration;

/// <summary>
/// Refuses tables whose topics would be one: Debezium writes <c>_</c> for what Kafka does not allow in a name, so that <c>"a b"</c> and <c>a_b</c> meet. A record's table is told by the record, but where
/// its lane stands, and what a TRUNCATE took away, is told by the topic.
/// </summary>
internal static class SharedTopics
{
    /// <summary>Reports each table that another one, or the fence table, shares its topic with, in either direction.</summary>
    /// <param name="entries">Places in the file, one a table.</param>
    /// <param name="tables">The tables.</param>
    /// <param name="prefix"><c>log.topicPrefix</c>.</param>
    /// <param name="hasWayBack">Whether the target's tables are published too.</param>
    public static void Check(IReadOnlyList<SectionReader> entries, IReadOnlyList<TableMapping> tables, string prefix, bool hasWayBack)
    {
        var told = new HashSet<int>();
        Check("source", prefix, table => table.Source, "move one of them by a migration file of its own, with another log.topicPrefix, or rename it");
        if (hasWayBack)
        {
            Check("target", $"{prefix}-back", table => table.Target, "give one of them another name in the target");
        }

        void Check(string key, string prefix, Func<TableMapping, TableName> nameOf, string fix)
        {
            var known = new Dictionary<string, TableName>(StringComparer.Ordinal) { [EmbeddedLog.TopicOf(prefix, FenceTable.Name)] = FenceTable.Name };
            for (var i = 0; i < tables.Count; i++)
            {
                // The same table twice is said elsewhere.
                var name = nameOf(tables[i]);
                var topic = EmbeddedLog.TopicOf(prefix, name);
                if (name != default && !known.TryAdd(topic, name) && known[topic] != name && told.Add(i))
                {
                    entries[i].Fail(key, $"tables {known[topic].Sql} and {name.Sql} would share topic {topic}, in which a TRUNCATE of one could not be told from the other's: {fix}");
                }
            }
        }
    }
}
