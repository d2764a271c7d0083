using System.Text;
using System.Text.Json;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.TestKit.Events;
using CdcMigrator.UnitTests.Debezium.Corpora;
using CsCheck;

namespace CdcMigrator.UnitTests.Debezium;

/// <summary>Whatever arrives, the decoder says Poison or decodes; it never fails in another way and never leaves half a row.</summary>
public sealed class GarbageTests
{
    private static readonly string[] Words = ["before", "after", "source", "op", "schema", "table", "payload", "id", "c_text", "c_date", "a_int4", "sequence", "ts_ms", "zoo", "public", "c", "u", "d"];

    private static readonly Gen<string> Json = Gen.Recursive<string>((depth, inner) => Gen.OneOf(
        Gen.Const("null"),
        Gen.Bool.Select(value => value ? "true" : "false"),
        Gen.Long.Select(value => value.ToString()),
        Gen.Double.Select(value => double.IsFinite(value) ? value.ToString("R") : "\"NaN\""),
        Gen.Int[0, Words.Length - 1].Select(index => Words[index]).Select(word => JsonSerializer.Serialize(word)),
        Gen.String.Select(text => JsonSerializer.Serialize(text)),
        depth > 4 ? Gen.Const("[]") : inner.Array[0, 4].Select(items => $"[{string.Join(',', items)}]"),
        depth > 4 ? Gen.Const("{}") : Gen.Select(Gen.Int[0, Words.Length - 1].Select(index => Words[index]), inner).Array[0, 6]
            .Select(members => $"{{{string.Join(',', members.Select(member => $"\"{member.Item1}\":{member.Item2}"))}}}")));

    [Fact]
    public void Random_JSON_is_decoded_or_refused() => Gen.Select(Json, Json).Sample(
        (key, value) =>
        {
            var corpus = Corpus.Of("faithful");
            Decode(corpus.Decoder(), new LogRecord { Lane = new LaneId("faithful.public.zoo", 0), Offset = 0, Key = Encoding.UTF8.GetBytes(key), Value = Encoding.UTF8.GetBytes(value) });
        },
        iter: 2000);

    [Fact]
    public void Random_values_in_a_real_envelope_are_decoded_or_refused() => Gen.Select(Gen.Int[0, 60], Json).Sample(
        (column, value) =>
        {
            var corpus = Corpus.Of("faithful");
            var zoo = corpus.Routes.All.Single(route => route.Source.Name == "zoo");
            var builder = new DebeziumEventBuilder("public.zoo");
            var name = zoo.SourceColumns[column % zoo.SourceColumns.Length];
            Decode(corpus.Decoder(), builder.Record("{\"id\":1}", builder.Envelope("c", "null", $"{{\"id\":1,\"{name}\":{value}}}"), []));
        },
        iter: 2000);

    public static TheoryData<string> Corpora => [.. Corpus.Names];

    [Theory]
    [MemberData(nameof(Corpora))]
    public void Damaged_records_are_decoded_or_refused(string name)
    {
        var corpus = Corpus.Of(name);
        var records = corpus.Records.Where(record => record.Value is not null).ToArray();
        var decoder = corpus.Decoder();
        Gen.Select(Gen.Int[0, records.Length - 1], Gen.Bool, Gen.Int[0, int.MaxValue], Gen.Int[0, 7], Gen.Bool).Sample(
            (index, ofKey, place, bit, cut) =>
            {
                var record = records[index];
                var bytes = (ofKey ? record.Key : record.Value) ?? [1];
                var damaged = cut ? bytes[..(place % bytes.Length)] : [.. bytes];
                if (!cut)
                {
                    damaged[place % bytes.Length] ^= (byte)(1 << bit);
                }

                Decode(decoder, ofKey ? record with { Key = damaged } : record with { Value = damaged });
            },
            iter: 1500,
            threads: 1);
    }

    private static void Decode(DebeziumDecoder decoder, LogRecord record)
    {
        var batch = new ChangeBatch();
        batch.Reset(record.Lane, record.Offset);
        try
        {
            var result = decoder.Decode(record, batch);
            Assert.Equal(result.Kind == DecodeKind.Change ? 1 : 0, batch.Changes.Count);
        }
        catch (FaultException e)
        {
            Assert.Equal(FaultKind.Poison, e.Fault.Kind);
            Assert.Equal(record.Lane, e.Fault.Lane);
            Assert.Empty(batch.Changes);
            Assert.Equal(0, batch.Bytes);
        }
    }
}
