using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Logical;

/// <summary>Lays what the migration file says of a column of MariaDB or MySQL over the type of its values.</summary>
internal static class MappedTypes
{
    /// <summary>The type with its mapping; the type itself where nothing is to be mapped.</summary>
    public static LogicalType Of(LogicalType type, ConnectSchema? schema, ColumnType column, ColumnMapping mapping, OriginColumn? origin)
    {
        if (type.IsUnfaithful)
        {
            return type;
        }

        if (origin?.IsEnum == true || schema?.Name == ConnectNames.Enum)
        {
            type = new LabelType(type, mapping, isSet: false);
        }
        else if (mapping.Labels.Count > 0)
        {
            type = new LabelType(type, mapping, isSet: true);
        }
        else if (mapping.NonZeroIsTrue && column.Kind == ColumnKind.Boolean)
        {
            type = NonZeroType.Instance;
        }
        else if (column.BaseName == "uuid" && column.Kind == ColumnKind.Text && mapping.UuidFormat != UuidFormat.Binary16)
        {
            type = new UuidType(mapping);
        }

        return mapping.NulCharacter != NulRule.Refuse && column.Kind == ColumnKind.Text ? new NulFreeType(type, mapping, column.BaseName is "jsonb" or "json") : type;
    }
}
