using System.Text;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// Labels of an enum, or members of a set, under the names the migration file gives them. The stream writes a comma in an enum's label with a
/// backslash in front (observed), which a label may hold itself: such a value is read from the source.
/// </summary>
internal sealed class LabelType(LogicalType inner, ColumnMapping mapping, bool isSet) : LogicalType
{
    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (!isSet && utf8.IndexOf("\\,"u8) >= 0)
        {
            return Outcome.Unfaithful;
        }

        return mapping.Labels.Count == 0 ? inner.FromText(utf8, writer) : inner.FromText(Mapped(Encoding.UTF8.GetString(utf8)), writer);
    }

    private byte[] Mapped(string text) =>
        Encoding.UTF8.GetBytes(isSet ? string.Join(',', text.Split(',').Select(mapping.LabelOf)) : mapping.LabelOf(text));
}
