using System.Text;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.UnitTests.Debezium;

/// <summary>Decodes records and shows what came out.</summary>
internal sealed class DecodedRow
{
    public const string Unavailable = "<unavailable>";
    public const string Reselect = "<reselect>";
    public const string Null = "<null>";
    public const string Absent = "<absent>";

    public static readonly DebeziumSettings Faithful = DebeziumSettings.FromConnector(new Dictionary<string, string>
    {
        ["topic.prefix"] = "shop",
        ["connector.class"] = "io.debezium.connector.postgresql.PostgresConnector",
        ["decimal.handling.mode"] = "string",
        ["time.precision.mode"] = "microseconds",
        ["interval.handling.mode"] = "string",
        ["include.unknown.datatypes"] = "true",
        ["signal.data.collection"] = "public.debezium_signal",
        ["value.converter.replace.null.with.default"] = "false",
    });

    public required DecodeResult Result { get; init; }

    public required ChangeBatch Batch { get; init; }

    public Change Change => Assert.Single(Batch.Changes);

    public string this[string sourceColumn] => Show(Batch, Change, Change.Route.OrdinalOfSource(sourceColumn));

    public static DebeziumDecoder Decoder(DebeziumSettings settings, params TableRoute[] routes)
    {
        var table = new RouteTable(routes);
        return new DebeziumDecoder(settings, () => table, null);
    }

    public static DecodedRow Decode(LogRecord record, DebeziumSettings settings, params TableRoute[] routes) =>
        Decode(record, Decoder(settings, routes));

    public static DecodedRow Decode(LogRecord record, IRecordDecoder decoder)
    {
        var batch = new ChangeBatch();
        batch.Reset(record.Lane, record.Offset);
        var result = decoder.Decode(record, batch);
        return new DecodedRow { Result = result, Batch = batch };
    }

    public static string Show(ChangeBatch batch, Change change, int ordinal)
    {
        var slot = batch.Slot(change, ordinal);
        return slot.State switch
        {
            ColumnState.Value => Encoding.UTF8.GetString(batch.Value(slot)),
            ColumnState.Null => Null,
            ColumnState.Unavailable => slot.MustReselect ? Reselect : Unavailable,
            _ => Absent,
        };
    }
}
