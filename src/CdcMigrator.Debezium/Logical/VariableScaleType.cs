using System.Buffers.Text;

namespace CdcMigrator.Debezium.Logical;

/// <summary><c>io.debezium.data.VariableScaleDecimal</c>: numeric without a scale. Trailing zeros of the source are gone (observed), the number is right.</summary>
internal sealed class VariableScaleType : LogicalType
{
    public static readonly VariableScaleType Instance = new();

    private static readonly StructMember[] ScaleAndValue = [new("scale"), new("value", IsBytes: true)];

    public override StructMember[] Members => ScaleAndValue;

    public override Outcome FromStruct(StructCells cells, ValueWriter writer)
    {
        if (!cells.Has(1) || !Utf8Parser.TryParse(cells[0], out int scale, out var consumed) || consumed != cells[0].Length)
        {
            throw new FormatException("a variable scale decimal without scale or value");
        }

        DecimalText.Write(cells[1], scale, writer);
        return Outcome.Value;
    }
}
