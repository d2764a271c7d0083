namespace CdcMigrator.MariaDb.Catalog;

/// <summary>How values of a source column reach a target column.</summary>
internal enum Fit
{
    /// <summary>From events, each as it is, or by name not at all.</summary>
    Events,

    /// <summary>Events do not tell enough for this target: every value is read from the source by key.</summary>
    Source,

    /// <summary>Not at all.</summary>
    None,
}
