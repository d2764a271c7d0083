using System.Security.Cryptography;
using System.Text;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Checks;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Service.Verifying;

/// <summary>What tells whether earlier findings are of the table, and of the log of its changes, as they are now. Kept with the findings as text.</summary>
/// <param name="Compared">Of everything that decides what is compared, and of the columns' types, whose change rewrites rows without events.</param>
/// <param name="Topic">Topic that has its changes.</param>
/// <param name="TopicId">Which topic of that name; <see cref="None"/> where there is none yet, or in the embedded log, whose life is part of what is compared.</param>
/// <param name="Asked">What the migration file says of the table: a process whose file says otherwise must not take these findings for its own.</param>
internal sealed record TableShape(string Compared, string Topic, string TopicId, string Asked)
{
    private const string None = "-";

    /// <summary>The shapes of tables as they are now.</summary>
    /// <exception cref="FaultException">The broker does not answer.</exception>
    public static async Task<IReadOnlyDictionary<TableName, TableShape>> ReadAsync(IReadOnlyList<ComparedTable> tables, ReconcilerParts parts, CancellationToken cancellationToken)
    {
        var log = await parts.Inspector.DescribeAsync([.. tables.Select(table => parts.TopicOf(table.Source)).Distinct(StringComparer.Ordinal)], cancellationToken);
        var asked = parts.Definition.Tables.ToDictionary(mapping => mapping.Source, CheckQuestions.Of);
        return tables.ToDictionary(table => table.Source, table => Of(table, parts.Incarnation, log.Topic(parts.TopicOf(table.Source)), asked[table.Source]));
    }

    /// <summary>The shape of a table.</summary>
    /// <param name="table">How it is compared.</param>
    /// <param name="incarnation">Which life of the embedded log it is; null with Kafka.</param>
    /// <param name="topic">Topic that has its changes.</param>
    /// <param name="asked">What the migration file says of it.</param>
    public static TableShape Of(ComparedTable table, string? incarnation, TopicDescription topic, string asked)
    {
        var text = $"{table.Target}|{table.Order}|{incarnation}|{string.Join(',', table.Key)}|{string.Join('|', table.Columns.Select(column => $"{column.Source} {column.SourceDeclaration ?? column.SourceType}>{column.Target} {column.TargetType}:{column.Form}{column.Mapped}{(column.IsNullable ? "?" : "")}"))}";
        return new TableShape(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), topic.Name, topic.TopicId.Length == 0 ? None : topic.TopicId, asked);
    }

    /// <summary>Why findings that were kept under another shape count no more; null where they do.</summary>
    /// <exception cref="FaultException">Unreachable: the topic was there, and the broker does not know it now; to be asked again.</exception>
    public string? Refuse(string kept)
    {
        // What the file says otherwise, and is compared as before, takes nothing away.
        if (kept.Split(' ') is not [var compared, var topic, var id, _] || compared != Compared)
        {
            return "the table is compared otherwise than before";
        }

        return topic != Topic ? $"its changes come in topic {Topic} and came in {topic} before: what lies between is in neither"
            : id == TopicId || id == None ? null
            : TopicId != None ? $"topic {Topic} was made again: changes may have been lost with the former one"
            : throw new FaultException(
                FaultKind.Unreachable, "topic-missing", $"The broker has no topic {Topic}, in which changes that were verified came: it is waited for",
                "If it was deleted its changes are gone: 'cdcm status' says what its lanes need");
    }

    /// <summary>Whether the topic came up since the findings were kept, so that everything in it is still to be verified.</summary>
    public bool HasTopicSince(string kept) => TopicId != None && kept.Split(' ') is [var compared, var topic, None, _] && compared == Compared && topic == Topic;

    /// <summary>
    /// What a process may take for its own of findings that were kept: of a table that its migration file maps otherwise than the file it was compared under, nothing but the wrong rows.
    /// </summary>
    /// <param name="state">What is kept.</param>
    /// <param name="kept">The shape it was kept under.</param>
    /// <param name="mapping">What the file of this process says of the table.</param>
    public static TableState Own(TableState state, string kept, TableMapping mapping) => kept.Split(' ') is [_, _, _, var asked] && asked == CheckQuestions.Of(mapping) ? state : state with
    {
        Covered = false,
        Verdict = state.Verdict is Verdict.Equal or Verdict.InFlight ? Verdict.Unverified : state.Verdict,
        Reason = "the process that compares has a migration file that maps the table otherwise",
    };

    /// <summary>As it is kept.</summary>
    public override string ToString() => $"{Compared} {Topic} {TopicId} {Asked}";
}
