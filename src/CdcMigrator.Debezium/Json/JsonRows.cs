using System.Text.Json;
using CdcMigrator.Debezium.Envelopes;
using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Debezium.Json;

/// <summary>Decodes rows and keys in JSON into the open row of a batch.</summary>
internal sealed class JsonRows(ValueWriter writer)
{
    /// <summary>The column being read, for messages.</summary>
    public string? Column { get; set; }

    /// <summary>Decodes a row.</summary>
    public void WriteRow(ReadOnlySpan<byte> json, RowPlan plan, ChangeBatch batch)
    {
        var reader = Begin(json);
        for (var place = 0; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; place++)
        {
            WriteField(ref reader, Field(ref reader, plan, place), batch);
        }

        Column = null;
    }

    /// <summary>Reads a key and checks that it is the table's; writes its columns where a batch is given.</summary>
    public void ReadKey(ReadOnlySpan<byte> json, RowPlan plan, ChangeBatch? batch)
    {
        var reader = Begin(json);
        var met = 0;
        for (; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; met++)
        {
            var field = Field(ref reader, plan, met);
            if (batch is null)
            {
                reader.Read();
                reader.Skip();
            }
            else
            {
                WriteField(ref reader, field, batch);
            }
        }

        Column = null;
        plan.CheckKey(met);
    }

    /// <summary>The names of a row's fields, in order.</summary>
    public static List<string> Names(ReadOnlySpan<byte> json)
    {
        var names = new List<string>();
        var reader = Begin(json);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            names.Add(reader.GetString()!);
            reader.Read();
            reader.Skip();
        }

        return names;
    }

    /// <summary>Reads two fields of a row as text, for tables that are not moved.</summary>
    public static void ReadTexts(ReadOnlySpan<byte> json, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, out string? firstText, out string? secondText)
    {
        firstText = secondText = null;
        var reader = Begin(json);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isFirst = reader.ValueTextEquals(first);
            var isSecond = !isFirst && reader.ValueTextEquals(second);
            reader.Read();
            if (isFirst)
            {
                firstText = Text(ref reader);
            }
            else if (isSecond)
            {
                secondText = Text(ref reader);
            }

            reader.Skip();
        }
    }

    private static string? Text(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString(),
        JsonTokenType.Number => System.Text.Encoding.UTF8.GetString(reader.ValueSpan),
        _ => null,
    };

    private static Utf8JsonReader Begin(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return reader.Read() && reader.TokenType == JsonTokenType.StartObject ? reader : throw new FormatException("a row or key is no object");
    }

    private FieldPlan Field(ref Utf8JsonReader reader, RowPlan plan, int place)
    {
        var field = plan.Field(JsonValues.Text(ref reader, writer), place);
        Column = field.Name;
        return field;
    }

    private void WriteField(ref Utf8JsonReader reader, FieldPlan field, ChangeBatch batch)
    {
        reader.Read();
        if (field.Ordinal < 0)
        {
            reader.Skip();
            return;
        }

        if (field.Type.IsUnfaithful)
        {
            reader.Skip();
            batch.SetUnfaithful(field.Ordinal);
            return;
        }

        batch.BeginValue();
        RowSink.End(field, JsonValues.Write(ref reader, field.Type, writer), batch);
    }
}
