namespace CdcMigrator.Cli;

/// <summary>Form of a verb's answer.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Table,

    /// <summary>For scripts.</summary>
    Json,
}
