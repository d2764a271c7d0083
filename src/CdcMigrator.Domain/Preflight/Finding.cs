namespace CdcMigrator.Domain.Preflight;

/// <summary>One thing preflight found.</summary>
/// <param name="Severity">Its weight; any error makes the answer negative.</param>
/// <param name="Code">Stable name for scripts, kebab-case: <c>replica-identity</c>.</param>
/// <param name="Message">What is so, with names.</param>
/// <param name="Fix">What to do: a command or a setting. Empty for mere information.</param>
public sealed record Finding(Severity Severity, string Code, string Message, string Fix = "")
{
    /// <summary>Source table concerned, if one.</summary>
    public string? Table { get; init; }

    /// <summary>Column concerned, if one.</summary>
    public string? Column { get; init; }

    /// <summary>A dependency did not answer, so that its checks were not made: nothing is known rather than something wrong.</summary>
    public bool Unreachable { get; init; }
}
