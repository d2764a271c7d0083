namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>GET /api/dlq/ID</c> and of <c>cdcm dlq show ID -o json</c>: the one answer that holds values of the row.</summary>
public sealed record DeadLetterDetail
{
    /// <summary>What the list shows.</summary>
    public required DeadLetterReport DeadLetter { get; init; }

    /// <summary>Dead letters of the row, this one included; they go together.</summary>
    public required long OfRow { get; init; }

    /// <summary>insert, update, delete, snapshot; null where the record cannot be decoded.</summary>
    public string? Operation { get; init; }

    /// <summary>Columns the record carries; empty where it cannot be decoded.</summary>
    public IReadOnlyList<DeadLetterColumn> Columns { get; init; } = [];

    /// <summary>Why the record cannot be decoded now; null where it can.</summary>
    public string? Undecodable { get; init; }

    /// <summary>The record's key as text, or its bytes as <c>\x…</c>.</summary>
    public string? RecordKey { get; init; }

    /// <summary>The record's value likewise, at most 4,000 characters; null where it could be decoded.</summary>
    public string? RecordValue { get; init; }

    /// <summary>What to do next.</summary>
    public required IReadOnlyList<string> NextSteps { get; init; }
}
