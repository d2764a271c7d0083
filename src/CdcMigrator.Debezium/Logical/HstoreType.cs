using System.Text.Json;

namespace CdcMigrator.Debezium.Logical;

/// <summary>hstore as JSON text or as a map.</summary>
internal sealed class HstoreType : LogicalType
{
    public static readonly HstoreType Instance = new();

    public override bool IsMap => true;

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (writer.Placeholder.IsJsonPair(utf8) || writer.Placeholder.Is(utf8))
        {
            return Outcome.Unavailable;
        }

        // A copy: keys and values are unescaped in the scratch room this text may lie in.
        var reader = new Utf8JsonReader(utf8.ToArray());
        reader.Read();
        return Json.JsonValues.WriteMap(ref reader, writer);
    }
}
