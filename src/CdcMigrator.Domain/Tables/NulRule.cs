namespace CdcMigrator.Domain.Tables;

/// <summary>What becomes of U+0000 in text, which PostgreSQL cannot store.</summary>
public enum NulRule
{
    /// <summary>The row is refused by name.</summary>
    Refuse,

    /// <summary>The character is left out.</summary>
    Strip,

    /// <summary>U+FFFD stands in its place.</summary>
    Replace,
}
