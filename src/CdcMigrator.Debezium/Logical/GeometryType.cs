using System.Buffers.Binary;
using System.Buffers.Text;

namespace CdcMigrator.Debezium.Logical;

/// <summary>PostGIS geometry and geography from well-known binary and SRID, as the extended well-known binary PostGIS prints.</summary>
internal sealed class GeometryType : LogicalType
{
    public static readonly GeometryType Instance = new();

    private const uint SridFlag = 0x2000_0000;
    private static readonly StructMember[] WkbAndSrid = [new("wkb", IsBytes: true), new("srid")];

    public override StructMember[] Members => WkbAndSrid;

    public override Outcome FromStruct(StructCells cells, ValueWriter writer)
    {
        var wkb = cells[0];
        if (wkb.Length < 5 || wkb[0] > 1)
        {
            throw new FormatException("a geometry without well-known binary");
        }

        var srid = 0;
        if (cells.Has(1) && !Utf8Parser.TryParse(cells[1], out srid, out _))
        {
            throw new FormatException("a geometry's srid is no number");
        }

        var little = wkb[0] == 1;
        var type = little ? BinaryPrimitives.ReadUInt32LittleEndian(wkb[1..]) : BinaryPrimitives.ReadUInt32BigEndian(wkb[1..]);
        if (srid == 0 || (type & SridFlag) != 0)
        {
            writer.WriteHex(wkb);
            return Outcome.Value;
        }

        Span<byte> head = stackalloc byte[9];
        head[0] = wkb[0];
        if (little)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(head[1..], type | SridFlag);
            BinaryPrimitives.WriteInt32LittleEndian(head[5..], srid);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(head[1..], type | SridFlag);
            BinaryPrimitives.WriteInt32BigEndian(head[5..], srid);
        }

        writer.WriteHex(head);
        writer.WriteHex(wkb[5..]);
        return Outcome.Value;
    }
}
