using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Faults;

/// <summary>What went wrong, where, and what to do: the one form in which every fault reaches log, CLI and API.</summary>
/// <param name="Kind">Who can act on it.</param>
/// <param name="Code">Stable name for scripts and tests, kebab-case: <c>unknown-column</c>.</param>
/// <param name="Message">One sentence: what, with table, key, offset or setting by name.</param>
/// <param name="Fix">One sentence: the next command or change. Empty where there is none.</param>
public sealed record Fault(FaultKind Kind, string Code, string Message, string Fix = "")
{
    /// <summary>Lane in which it happened, if any.</summary>
    public LaneId? Lane { get; init; }

    /// <summary>Offset of the record that cannot be processed, if any.</summary>
    public long? Offset { get; init; }

    /// <summary>Source table, if any.</summary>
    public string? Table { get; init; }

    /// <summary>Key of the row as JSON-like text, if known.</summary>
    public string? Key { get; init; }

    /// <summary>Message, place and fix on one line.</summary>
    public override string ToString()
    {
        var place = string.Join(", ", new[]
        {
            Table is null ? null : $"table {Table}",
            Key is null ? null : $"key {Key}",
            Lane is null ? null : Offset is null ? $"{Lane}" : $"{Lane} offset {Offset}",
        }.Where(part => part is not null));
        var text = place.Length == 0 ? Message : $"{Message} ({place})";
        return Fix.Length == 0 ? text : $"{text}. {Fix}";
    }
}
