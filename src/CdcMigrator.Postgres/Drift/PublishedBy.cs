namespace CdcMigrator.Postgres.Drift;

/// <summary>
/// By what a publication has a table: the publication's oid and version, and the oids of its entries that cover the table. None of these is used again or comes back, so that what was changed and changed back between two looks is
/// told from what stayed. Pure; stored as text.
/// </summary>
/// <param name="Publication">Oid of the publication: another one was made under its name.</param>
/// <param name="Version">The transaction that changed its own row last (what it publishes, whose it is); empty where that was not recorded.</param>
/// <param name="Entries">Oids of its entries for the table, its schema, or what it is a partition of; empty for a publication of all tables.</param>
internal sealed record PublishedBy(string Publication, string Version, IReadOnlyList<string> Entries)
{
    /// <summary>What <see cref="ToString"/> wrote, or an earlier version did, as <c>publication/entry</c>; null where nothing is known.</summary>
    public static PublishedBy? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split('/') switch
        {
            [var publication, var entry] => new PublishedBy(publication, "", [entry]),
            [var publication, var version, var entries] => new PublishedBy(publication, version, entries.Split(',', StringSplitOptions.RemoveEmptyEntries)),
            _ => null,
        };
    }

    /// <summary>Why changes may have been left out in between; null where it has published the table all the time, as far as that was recorded.</summary>
    /// <param name="now">As it is now; null where the publication is gone, or does not have the table.</param>
    /// <param name="name">Name of the publication.</param>
    public string? Interrupted(PublishedBy? now, string name) =>
        now is null ? $"publication {name} is gone, or was taken from it"
        : now.Publication != Publication ? $"publication {name} was dropped and made again"
        : Entries.Count > 0 && !Entries.Intersect(now.Entries, StringComparer.Ordinal).Any() ? $"it was taken out of publication {name} for a moment"
        : Version.Length > 0 && Version != now.Version ? $"publication {name} was altered: it may have left out operations for a moment"
        : null;

    /// <inheritdoc />
    public override string ToString() => $"{Publication}/{Version}/{string.Join(',', Entries)}";
}
