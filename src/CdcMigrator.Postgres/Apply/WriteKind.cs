namespace CdcMigrator.Postgres.Apply;

/// <summary>What a group of rows does to its table.</summary>
internal enum WriteKind
{
    /// <summary>Nothing: the row's net effect is its delete alone, or it was dropped.</summary>
    None,

    /// <summary>Deletes every row of the table.</summary>
    Truncate,

    /// <summary>Deletes by key.</summary>
    Delete,

    /// <summary>Inserts, or updates the carried columns of the row with that key.</summary>
    Upsert,

    /// <summary>Updates the carried columns; a row that does not exist is completed from the source and inserted.</summary>
    Update,
}
