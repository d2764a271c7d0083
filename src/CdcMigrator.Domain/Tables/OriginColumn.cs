namespace CdcMigrator.Domain.Tables;

/// <summary>What the source's catalog and its values say of a column: how its events are to be read, and when they are not to be believed.</summary>
/// <param name="Type">Its type, which is what events were written from; the target's may differ. Null where events are read by the target's type (MariaDB, MySQL).</param>
public sealed record OriginColumn(ColumnType? Type)
{
    /// <summary>Nullable with a default: some converters write its NULL as that default.</summary>
    public bool NullHasDefault { get; init; }

    /// <summary>Which events' values are not taken, for what the column holds.</summary>
    public ReadAgain ReadAgain { get; init; }

    /// <summary>An interval of a server that has infinite ones (PostgreSQL 17 and newer): the connector's driver reads those as zero (observed).</summary>
    public bool ZeroMayBeInfinite { get; init; }

    /// <summary>A NOT NULL date's default, which arrives in place of a zero date where events have no schema that would tell; null where there is none.</summary>
    public string? ZeroDateDefault { get; init; }

    /// <summary>Its values are labels of an enum: the stream writes a comma in one with a backslash in front, the snapshot does not.</summary>
    public bool IsEnum { get; init; }

    /// <summary>Its values are members of a set, with commas between them.</summary>
    public bool IsSet { get; init; }

    /// <summary>Why the target's column cannot take its values; null where it can.</summary>
    public string? Unfit { get; init; }
}
