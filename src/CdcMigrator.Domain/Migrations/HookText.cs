namespace CdcMigrator.Domain.Migrations;

/// <summary>A text of a hook, which may hold secrets.</summary>
/// <param name="Value">What is used.</param>
/// <param name="Shown">What may be shown: as the file has it, with references in place of what they stand for.</param>
/// <param name="Secrets">What references stand for, and other secrets.</param>
public sealed record HookText(string Value, string Shown, IReadOnlyList<string> Secrets)
{
    /// <summary>A text without secrets.</summary>
    public static HookText Plain(string value) => new(value, value, []);
}
