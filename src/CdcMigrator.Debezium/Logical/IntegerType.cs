namespace CdcMigrator.Debezium.Logical;

/// <summary>smallint to bigint, oid, year.</summary>
/// <param name="unsignedBigint">Text may be the base64 of a MariaDB bigint unsigned (<c>bigint.unsigned.handling.mode=precise</c> without schemas).</param>
internal sealed class IntegerType(bool unsignedBigint) : LogicalType
{
    public static readonly IntegerType Instance = new(unsignedBigint: false);

    public static readonly IntegerType OrUnsignedBigint = new(unsignedBigint: true);

    public override Outcome FromInteger(long value, ValueWriter writer)
    {
        writer.WriteInteger(value);
        return Outcome.Value;
    }

    public override Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer)
    {
        if (literal.ContainsAny(".eE"u8))
        {
            throw Malformed("an integer", literal);
        }

        writer.Write(literal);
        return Outcome.Value;
    }

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (NumericText.IsPlain(utf8) && !utf8.Contains((byte)'.'))
        {
            return FromNumber(utf8, writer);
        }

        // Never negative, so its base64 begins with a letter and is no plain number.
        if (!unsignedBigint || writer.FromBase64(utf8) is not { Length: > 0 and <= 9 } unscaled)
        {
            throw Malformed("an integer", utf8);
        }

        DecimalText.Write(unscaled, 0, writer);
        return Outcome.Value;
    }

    public override Outcome FromBoolean(bool value, ValueWriter writer) => FromInteger(value ? 1 : 0, writer);
}
