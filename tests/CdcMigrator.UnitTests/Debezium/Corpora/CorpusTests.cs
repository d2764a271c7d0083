using System.Globalization;
using System.Text.RegularExpressions;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.UnitTests.Debezium.Corpora;

/// <summary>What was decoded is what the source held, or is not taken from the event.</summary>
public sealed partial class CorpusTests
{
    /// <summary>Columns the stream never carries faithfully.</summary>
    private static readonly HashSet<string> NeverFaithful =
        ["c_timetz", "c_varbit", "c_xml", "a_date", "a_tstz", "a_time", "a_money", "a_interval", "a_xml", "a_name", "a_varbit", "a_point"];

    public static TheoryData<string> Corpora => [.. Corpus.Names];

    [Theory]
    [MemberData(nameof(Corpora))]
    public void No_decoded_value_differs_from_the_sources(string name)
    {
        var problems = new List<string>();
        var values = 0;
        foreach (var (column, outcome) in Replay(name).SelectMany(row => row.Columns.Select(column => (column, row.Outcome(column)))))
        {
            values += outcome.Decoded is not null ? 1 : 0;
            if (outcome.Problem is not null)
            {
                problems.Add(outcome.Problem);
            }
        }

        Assert.Empty(problems);
        Assert.True(values > 350, $"only {values} values");
    }

    [Fact]
    public void Under_the_faithful_settings_only_known_types_and_values_of_the_stream_are_reselected()
    {
        var rows = Replay("faithful").Where(row => row.Change.Operation != ChangeOperation.SnapshotRow).ToList();

        // Arrays whose elements have no placeholder: null may be an unchanged TOAST value there.
        var ambiguousNulls = rows.SelectMany(row => row.Columns.Where(column => column.StartsWith("a_", StringComparison.Ordinal) && row.Expected[column] is null)
            .Select(column => $"{row.Id}.{column}")).ToHashSet();
        var reselected = rows
            .SelectMany(row => row.Columns.Where(column => row.State(column) == DecodedRow.Reselect).Select(column => $"{row.Id}.{column}"))
            .Where(column => !NeverFaithful.Contains(column[(column.IndexOf('.', StringComparison.Ordinal) + 1)..]))
            .ToList();
        var known = reselected.Where(column => !ambiguousNulls.Contains(column)).Order(StringComparer.Ordinal);

        // Two dimensions; NULLs alone; an array of old timestamps; timestamps at and behind the last that fits.
        Assert.Equal(["104.a_int4", "104.a_text", "104.a_ts", "105.a_int4", "105.a_text", "106.c_ts", "108.c_ts"], known);
    }

    [Fact]
    public void Unchanged_TOAST_values_are_unavailable_in_every_form()
    {
        var rows = Replay("faithful").Where(row => row.Change.Route.Source.Name == "docs").ToList();
        var update = Assert.Single(rows, row => row.Change.Operation == ChangeOperation.Update);
        var create = Assert.Single(rows, row => row.Change.KeyChange == KeyChangeHalf.NewKey);

        foreach (var row in new[] { update, create })
        {
            Assert.Equal(
                row.Columns.Where(column => column is not "id" and not "n" and not "c_xml"),
                row.Columns.Where(column => row.State(column) == DecodedRow.Unavailable));
        }
    }

    [Theory]
    [MemberData(nameof(Corpora))]
    public void Every_record_is_recognised(string name)
    {
        var corpus = Corpus.Of(name);
        var decoder = corpus.Decoder();
        foreach (var record in corpus.Records)
        {
            var topic = record.Lane.Topic[(record.Lane.Topic.IndexOf('.', StringComparison.Ordinal) + 1)..];
            var expected = record.Value is null ? DecodeKind.Tombstone
                : record.Lane.Topic.StartsWith("__", StringComparison.Ordinal) ? DecodeKind.Heartbeat
                : topic == "transaction" ? DecodeKind.Transaction
                : topic == "message" ? DecodeKind.Message
                : topic == "cdc_migrator.fence" ? DecodeKind.Fence
                : topic.StartsWith("public.debezium_signal", StringComparison.Ordinal)
                    ? new TableName("public", topic[7..]) == corpus.Settings.SignalTable ? DecodeKind.Signal : DecodeKind.Ignored
                : topic == "public.keyless" ? DecodeKind.Ignored
                : DecodeKind.Change;

            Assert.Equal(expected, DecodedRow.Decode(record, decoder).Result.Kind);
        }
    }

    [Theory]
    [MemberData(nameof(Corpora))]
    public void Fence_rows_carry_their_texts(string name)
    {
        var corpus = Corpus.Of(name);
        var decoder = corpus.Decoder();
        var rows = corpus.Records.Where(record => record.Lane.Topic.EndsWith(".fence", StringComparison.Ordinal) && record.Value is not null)
            .Select(record => DecodedRow.Decode(record, decoder).Result.Fence!).ToList();

        Assert.Equal([("marker:1", "{\"a\": \"ü\"}"), ("marker:1", null), ("marker:1", null)], rows.Select(row => (row.Id, row.Value)));
        Assert.All(rows, row => Assert.True(row.Position.IsComparable));
    }

    [Theory]
    [MemberData(nameof(Corpora))]
    public void Every_kind_of_change_is_there(string name)
    {
        var rows = Replay(name).ToList();

        Assert.Contains(rows, row => row.Change.Operation == ChangeOperation.Truncate);
        Assert.Contains(rows, row => row.Change.KeyChange == KeyChangeHalf.OldKey && row.Change.Operation == ChangeOperation.Delete);
        Assert.Contains(rows, row => row.Change.KeyChange == KeyChangeHalf.NewKey);
        Assert.Contains(rows, row => row.Change.Route.Source.Name == "drift" && row.State("late") == DecodedRow.Absent);
        Assert.Contains(rows, row => row.Change.Route.Source.Name == "drift" && row.State("late") == "now");
        Assert.Contains(rows, row => row.Change is { Operation: ChangeOperation.Insert, Position.IsComparable: true });
        Assert.Equal(name is "faithful" or "avro" ? 8 : 0, rows.Count(row => row.Change.Operation == ChangeOperation.SnapshotRow && row.Change.Position == SourcePosition.None));
    }

    [Theory]
    [MemberData(nameof(Corpora))]
    public void NULLs_that_may_be_defaults_are_not_taken_from_the_event(string name)
    {
        var nulls = Replay(name).Single(row => row.Change.Route.Source.Name == "defaults" && row.Id == "2");

        Assert.All(new[] { "t", "n", "b" }, column => Assert.Equal(name == "avro" ? DecodedRow.Reselect : DecodedRow.Null, nulls.State(column)));
        Assert.Equal("1", nulls.State("must"));
    }

    [Fact]
    public void A_keyless_row_change_is_refused()
    {
        var corpus = Corpus.Of("faithful");
        var record = corpus.Records.Single(record => record.Lane.Topic.EndsWith(".keyless", StringComparison.Ordinal));
        var route = TestKit.Events.TestRoutes.Of("public.keyless", TestKit.Events.TestRoutes.Text("t"));

        Assert.Equal("keyless", Assert.Throws<FaultException>(() => DecodedRow.Decode(record, corpus.Settings, route)).Fault.Code);
    }

    [Fact]
    public void A_schema_that_is_not_loaded_is_asked_for_and_the_batch_untouched()
    {
        var corpus = Corpus.Of("avro");
        var record = corpus.Records.First(record => record.Lane.Topic.EndsWith(".orders", StringComparison.Ordinal));
        var all = Corpus.Schemas();
        var some = new CdcMigrator.Debezium.SchemaStore();
        var decoder = new CdcMigrator.Debezium.DebeziumDecoder(corpus.Settings, () => corpus.Routes, some);
        var asked = new List<int>();
        DecodedRow row;
        while ((row = DecodedRow.Decode(record, decoder)).Result.Kind == DecodeKind.NeedsSchema)
        {
            Assert.Empty(row.Batch.Changes);
            Assert.Equal(0, row.Batch.Bytes);
            Assert.True(all.TryGet(row.Result.SchemaId, out var json));
            asked.Add(row.Result.SchemaId);
            some.Add(row.Result.SchemaId, json);
        }

        Assert.Equal(2, asked.Distinct().Count());
        Assert.Equal(DecodeKind.Change, row.Result.Kind);
    }

    [Theory]
    [MemberData(nameof(Corpora))]
    public void A_fault_shows_the_key_readably_in_every_format(string name)
    {
        var corpus = Corpus.Of(name);
        var record = corpus.Records.First(record => record.Lane.Topic.EndsWith(".orders", StringComparison.Ordinal));
        var route = TestKit.Events.TestRoutes.Of("public.orders", TestKit.Events.TestRoutes.Bigint("id"));
        var table = new RouteTable([route]);
        var decoder = new CdcMigrator.Debezium.DebeziumDecoder(corpus.Settings, () => table, Corpus.Schemas());

        Assert.Equal("{\"id\":1}", Assert.Throws<FaultException>(() => DecodedRow.Decode(record, decoder)).Fault.Key);
    }

    private static List<CorpusRow> Replay(string name)
    {
        var corpus = Corpus.Of(name);
        var decoder = corpus.Decoder();
        var expected = Corpus.Expected();
        var rows = new List<CorpusRow>();
        foreach (var record in corpus.Records)
        {
            var decoded = DecodedRow.Decode(record, decoder);
            if (decoded.Result.Kind != DecodeKind.Change)
            {
                continue;
            }

            var change = decoded.Change;
            var withRow = change.Operation is not (ChangeOperation.Delete or ChangeOperation.Truncate);
            var columns = withRow ? expected[Corpus.KeyOf(change.Route, ordinal => DecodedRow.Show(decoded.Batch, change, ordinal))].Dequeue() : [];
            rows.Add(new CorpusRow(corpus.Name, decoded, columns));
        }

        return rows;
    }

    private sealed partial record CorpusRow(string Corpus, DecodedRow Decoded, Dictionary<string, string?> Expected)
    {
        public Change Change => Decoded.Change;

        public string Id => State(Change.Route.SourceColumns[0]);

        public IEnumerable<string> Columns => Expected.Keys.Where(column => !Change.Route.Target.Columns[Change.Route.OrdinalOfSource(column)].Generated);

        public string State(string column) => Decoded[column];

        public (string? Decoded, string? Problem) Outcome(string column)
        {
            var (state, expected) = (State(column), Expected[column]);
            var where = $"{Corpus} {Change.Route.Source} {Id} {Change.Operation} {column}: '{state}' for '{expected}'";
            switch (state)
            {
                case DecodedRow.Reselect or DecodedRow.Unavailable:
                    return (null, null);
                case DecodedRow.Absent:
                    return (null, where);
                case DecodedRow.Null:
                    return (null, expected is null || IsKnownNull(expected) ? null : where);
                default:
                    var type = Change.Route.Target.Columns[Change.Route.OrdinalOfSource(column)].Type;
                    return (state, expected is not null && Same(state, expected, type) ? null : where);
            }
        }

        /// <summary>What other settings than the faithful ones lose at the connector; preflight refuses them.</summary>
        private bool IsKnownNull(string expected) => Corpus is not "faithful" && expected is "NaN" or "Infinity" or "-Infinity";

        private static bool Same(string decoded, string expected, ColumnType type) => type.Kind switch
        {
            ColumnKind.Float when type.BaseName == "float4" => Single(decoded).Equals(Single(expected)),
            ColumnKind.Float => double.Parse(decoded, CultureInfo.InvariantCulture).Equals(double.Parse(expected, CultureInfo.InvariantCulture)),
            ColumnKind.Money => decoded == Money(expected) || decoded + "0" == Money(expected) || decoded + "00" == Money(expected),
            ColumnKind.Numeric => decoded == expected || Stripped(decoded) == Stripped(expected),
            ColumnKind.Opaque or ColumnKind.Point => PointZero().Replace(decoded, "") == expected,
            ColumnKind.Array when type.Element!.Kind == ColumnKind.Float => PointZero().Replace(decoded, "") == expected,
            ColumnKind.Array when type.Element!.Kind == ColumnKind.Numeric => Stripped(decoded) == Stripped(expected),
            _ => decoded == expected,
        };

        private static float Single(string text) => float.Parse(text, CultureInfo.InvariantCulture);

        private static string Money(string text) => text.Replace("$", "", StringComparison.Ordinal).Replace(",", "", StringComparison.Ordinal);

        /// <summary>The precise mode loses trailing zeros.</summary>
        private static string Stripped(string number) => TrailingZeros().Replace(number, "");

        [GeneratedRegex(@"\.0(?!\d)")]
        private static partial Regex PointZero();

        [GeneratedRegex(@"(?<=\.\d*)0+(?=\D|$)|\.0+(?=\D|$)")]
        private static partial Regex TrailingZeros();
    }
}
