using System.Security.Cryptography;
using System.Text.Json;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>
/// What a migration file asks of the checks: by kind, each thing of the file with a fingerprint of all that decides what its answer means. An answer to another question
/// says nothing, however fresh it is. Pure; the same file gives the same fingerprints in every process.
/// </summary>
public static class CheckQuestions
{
    /// <summary>What the file asks of each kind: a rule by its name, else a table by its source name. Nothing where the answer does not depend on the file.</summary>
    public static IReadOnlyDictionary<CheckKind, IReadOnlyDictionary<string, string>> Of(MigrationDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var verify = definition.Verify;
        var tables = definition.Tables.ToDictionary(table => table.Source.ToString(), Fingerprint);
        return Enum.GetValues<CheckKind>().ToDictionary(kind => kind, kind => kind switch
        {
            CheckKind.Rules => definition.Rules.ToDictionary(rule => rule.Name, rule => Hash(new object[] { rule.Source, rule.Target, rule.Tolerance })),
            CheckKind.Counts => With(tables, verify.CountTolerance),
            CheckKind.Samples => With(tables, verify.SampleAbove, verify.SampleConfidence, verify.SampleErrorRate),
            CheckKind.Sequences => With(tables, definition.Cutover.SequenceMargin),
            CheckKind.SchemaHistory => new Dictionary<string, string>(),
            _ => (IReadOnlyDictionary<string, string>)tables,
        });
    }

    private static Dictionary<string, string> With(Dictionary<string, string> tables, params object[] limits) =>
        tables.ToDictionary(table => table.Key, table => Hash(new object[] { table.Value, limits }));

    /// <summary>A fingerprint of all that the file says of a table, on which depends what is compared with what.</summary>
    public static string Of(TableMapping table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return Fingerprint(table);
    }

    private static string Fingerprint(TableMapping table) => Hash(new object[]
    {
        table.Source.ToString(), table.Target.ToString(), table.Keyless, table.Exclude.Order(StringComparer.Ordinal), Sorted(table.Rename),
        table.Columns.OrderBy(column => column.Key, StringComparer.Ordinal).Select(column => new object[]
        {
            column.Key, column.Value.As, column.Value.ZeroDate.ToString(), column.Value.PartialDate.ToString(), column.Value.NulCharacter, column.Value.NonZeroIsTrue, column.Value.UuidFormat,
            Sorted(column.Value.Labels),
        }),
    });

    private static IEnumerable<string[]> Sorted(IReadOnlyDictionary<string, string> names) =>
        names.OrderBy(name => name.Key, StringComparer.Ordinal).Select(name => new[] { name.Key, name.Value });

    private static string Hash(object[] parts) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(parts)))[..16];
}
