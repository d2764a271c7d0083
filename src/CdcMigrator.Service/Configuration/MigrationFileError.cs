namespace CdcMigrator.Service.Configuration;

/// <summary>One mistake in a migration file.</summary>
/// <param name="Line">Line, from 1; 0 where the mistake has no place.</param>
/// <param name="Column">Column, from 1; 0 where the mistake has no place.</param>
/// <param name="Message">What is wrong and what would be right. Never holds a secret.</param>
public sealed record MigrationFileError(int Line, int Column, string Message)
{
    /// <summary><c>line 4, column 3: …</c></summary>
    public override string ToString() => Line == 0 ? Message : $"line {Line}, column {Column}: {Message}";
}
