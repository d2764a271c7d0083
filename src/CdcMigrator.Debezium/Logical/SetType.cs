namespace CdcMigrator.Debezium.Logical;

/// <summary>MariaDB's set, <c>a,b</c>, as an array of text. Its members cannot hold commas.</summary>
internal sealed class SetType : LogicalType
{
    public static readonly SetType Instance = new();

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (utf8.Length == 0)
        {
            writer.Write("{}"u8);
            return Outcome.Value;
        }

        writer.Array.Begin("{}", writer);
        while (true)
        {
            var comma = utf8.IndexOf((byte)',');
            writer.WriteText(comma < 0 ? utf8 : utf8[..comma]);
            writer.Array.Add(Outcome.Value, writer);
            if (comma < 0)
            {
                return writer.Array.End(writer);
            }

            utf8 = utf8[(comma + 1)..];
        }
    }
}
