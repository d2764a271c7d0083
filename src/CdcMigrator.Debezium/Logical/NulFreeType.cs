using System.Text;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Logical;

/// <summary>Text without U+0000, which is left out or replaced as the migration file says; in JSON also its escaped form.</summary>
internal sealed class NulFreeType(LogicalType inner, ColumnMapping mapping, bool json) : LogicalType
{
    public override bool TextIsBase64 => inner.TextIsBase64;

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer) =>
        utf8.Contains((byte)0) || (json && utf8.IndexOf("\\u0000"u8) >= 0)
            ? inner.FromText(Encoding.UTF8.GetBytes(mapping.WithoutNul(Encoding.UTF8.GetString(utf8), json)), writer)
            : inner.FromText(utf8, writer);

    public override Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer) => inner.FromBytes(bytes, writer);

    public override Outcome FromInteger(long value, ValueWriter writer) => inner.FromInteger(value, writer);

    public override Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer) => inner.FromNumber(literal, writer);

    public override Outcome FromBoolean(bool value, ValueWriter writer) => inner.FromBoolean(value, writer);
}
