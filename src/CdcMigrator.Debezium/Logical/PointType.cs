namespace CdcMigrator.Debezium.Logical;

/// <summary>point from the x and y of <c>io.debezium.data.geometry.Point</c>.</summary>
internal sealed class PointType : LogicalType
{
    public static readonly PointType Instance = new();

    private static readonly StructMember[] Coordinates = [new("x"), new("y")];

    public override StructMember[] Members => Coordinates;

    public override Outcome FromStruct(StructCells cells, ValueWriter writer)
    {
        if (!cells.Has(0) || !cells.Has(1))
        {
            throw new FormatException("a point without x or y");
        }

        writer.Write('(');
        writer.Write(cells[0]);
        writer.Write(',');
        writer.Write(cells[1]);
        writer.Write(')');
        return Outcome.Value;
    }
}
