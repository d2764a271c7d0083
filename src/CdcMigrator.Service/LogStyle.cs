namespace CdcMigrator.Service;

/// <summary>How log lines look.</summary>
public enum LogStyle
{
    /// <summary>One JSON object a line, for log collectors.</summary>
    Json,

    /// <summary>One line of text, for people.</summary>
    Text,

    /// <summary>No log: the caller shows what happens.</summary>
    None,
}
