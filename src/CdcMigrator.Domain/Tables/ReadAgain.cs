namespace CdcMigrator.Domain.Tables;

/// <summary>Whose values of a column are read from the source again, whatever the event carries.</summary>
public enum ReadAgain
{
    /// <summary>Nobody's: the event's value is taken where its type and form can be trusted.</summary>
    Never,

    /// <summary>Those of snapshot rows.</summary>
    Snapshot,

    /// <summary>All.</summary>
    Always,
}
