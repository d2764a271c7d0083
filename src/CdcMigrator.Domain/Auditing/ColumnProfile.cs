using System.Globalization;

namespace CdcMigrator.Domain.Auditing;

/// <summary>A column and what the rows that were read hold in it.</summary>
/// <param name="Name">Name in the source.</param>
/// <param name="Type">Type as declared.</param>
public sealed record ColumnProfile(string Name, string Type)
{
    /// <summary>May be NULL.</summary>
    public bool Nullable { get; init; }

    /// <summary>Rows with NULL.</summary>
    public long Nulls { get; init; }

    /// <summary>Least value of numbers, dates and times, as text; null for other types, or where there is none.</summary>
    public string? Min { get; init; }

    /// <summary>Greatest value of numbers, dates and times, as text; null for other types, or where there is none.</summary>
    public string? Max { get; init; }

    /// <summary>Bytes of the longest value, decompressed; null where the type has one length.</summary>
    public long? LongestBytes { get; init; }

    /// <summary>How many rows hold what is worth knowing, by its name (<see cref="ValueOddity"/>); those that no row holds are left out.</summary>
    public IReadOnlyDictionary<string, long> Oddities { get; init; } = new Dictionary<string, long>();

    /// <summary>Rows of one oddity; 0 where there are none, or it was not looked for.</summary>
    public long Count(string oddity) => Oddities.GetValueOrDefault(oddity);

    /// <summary>Names of what is asked of a column beside its oddities: what each becomes here.</summary>
    public const string AskedNulls = "nulls";

    /// <inheritdoc cref="AskedNulls" />
    public const string AskedMin = "min";

    /// <inheritdoc cref="AskedNulls" />
    public const string AskedMax = "max";

    /// <inheritdoc cref="AskedNulls" />
    public const string AskedLongest = "longest";

    /// <summary>The profile with one answer: of what is asked of every column, or how many rows have an oddity.</summary>
    /// <param name="asked">What was asked.</param>
    /// <param name="answer">The server's answer as text; null for NULL.</param>
    public ColumnProfile With(string asked, string? answer)
    {
        var number = asked is AskedMin or AskedMax || answer is null ? 0 : (long)decimal.Parse(answer, NumberStyles.Float, CultureInfo.InvariantCulture);
        return asked switch
        {
            AskedNulls => this with { Nulls = number },
            AskedMin => this with { Min = answer },
            AskedMax => this with { Max = answer },
            AskedLongest => this with { LongestBytes = answer is null ? null : number },
            _ => number <= 0 ? this : this with { Oddities = new SortedDictionary<string, long>(Oddities.ToDictionary(), StringComparer.Ordinal) { [asked] = number } },
        };
    }
}
