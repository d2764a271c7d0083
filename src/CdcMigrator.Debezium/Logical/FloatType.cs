using System.Globalization;

namespace CdcMigrator.Debezium.Logical;

/// <summary>real and double precision. JSON literals are passed on; they are the shortest that read back the same.</summary>
internal sealed class FloatType : LogicalType
{
    public static readonly FloatType Instance = new();

    public override Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer)
    {
        writer.Write(literal);
        return Outcome.Value;
    }

    public override Outcome FromInteger(long value, ValueWriter writer)
    {
        writer.WriteInteger(value);
        return Outcome.Value;
    }

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (!utf8.SequenceEqual("NaN"u8) && !utf8.SequenceEqual("Infinity"u8) && !utf8.SequenceEqual("-Infinity"u8))
        {
            throw Malformed("a floating point number", utf8);
        }

        writer.Write(utf8);
        return Outcome.Value;
    }

    public override Outcome FromDouble(double value, ValueWriter writer)
    {
        value.TryFormat(writer.Output.GetSpan(32), out var written, "R", CultureInfo.InvariantCulture);
        writer.Output.Advance(written);
        return Outcome.Value;
    }

    public override Outcome FromSingle(float value, ValueWriter writer)
    {
        value.TryFormat(writer.Output.GetSpan(32), out var written, "R", CultureInfo.InvariantCulture);
        writer.Output.Advance(written);
        return Outcome.Value;
    }
}
