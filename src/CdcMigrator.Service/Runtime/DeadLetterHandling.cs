using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.DeadLetters;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Service.Runtime;

/// <summary>Dead letters as operators handle them: counted, listed, shown decoded, retried, discarded. Any process can, whoever owns the lanes. Thread-safe.</summary>
internal sealed class DeadLetterHandling(string migration, DeadLetterDesk desk, RouteKeeper routes, TimeProvider time)
{
    /// <summary>Longest a count may hold a status up.</summary>
    private static readonly TimeSpan CountTimeout = TimeSpan.FromSeconds(2);

    /// <summary>A retry answers after that and says where to go on, so that no request times out in the middle.</summary>
    private static readonly TimeSpan RetryTime = TimeSpan.FromSeconds(5);

    private const int MostShown = 4000;
    private volatile Func<IRecordDecoder>? decoders;
    private volatile ISchemaLoader? schemas;

    /// <summary>Records can be decoded from now on.</summary>
    public void Begin(Func<IRecordDecoder> newDecoder, ISchemaLoader? schemaLoader)
    {
        schemas = schemaLoader;
        decoders = newDecoder;
    }

    /// <summary>Dead letters by source table as the target has them now.</summary>
    /// <exception cref="FaultException">They cannot be counted.</exception>
    public Task<IReadOnlyDictionary<string, long>> CountAsync(CancellationToken cancellationToken) => desk.CountAsync(cancellationToken);

    /// <summary>The same; null where the target does not say soon.</summary>
    public async Task<IReadOnlyDictionary<string, long>?> TryCountAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(CountTimeout);
        try
        {
            return await desk.CountAsync(limit.Token);
        }
        catch (Exception exception) when (exception is FaultException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public async Task<DeadLettersReport> ListAsync(DeadLetterChoice choice, int most, CancellationToken cancellationToken)
    {
        var letters = await desk.ListAsync(choice, most + 1, cancellationToken);
        var counts = await desk.CountAsync(cancellationToken);
        return new DeadLettersReport(
            migration, counts.Values.Sum(), new SortedDictionary<string, long>(counts.ToDictionary(), StringComparer.Ordinal),
            [.. letters.Take(most).Select(DeadLetterReport.Of)], letters.Count > most);
    }

    /// <exception cref="FaultException">Configuration <c>no-dead-letter</c>.</exception>
    public async Task<DeadLetterDetail> ShowAsync(long id, CancellationToken cancellationToken)
    {
        var letter = await desk.FindAsync(id, cancellationToken) ?? throw Unknown(id);
        var rows = await desk.RowsAsync(new DeadLetterChoice(Table: letter.Key.Table, Key: letter.Key.Key), cancellationToken);
        var detail = new DeadLetterDetail
        {
            DeadLetter = DeadLetterReport.Of(letter),
            OfRow = rows.Count > 0 ? rows[0].Letters : 1,
            RecordKey = Readable(letter.Record!.Key),
            RecordValue = Readable(letter.Record.Value),
            NextSteps =
            [
                $"Mend the cause, then 'cdcm dlq retry {id}': it applies all dead letters of the row in order",
                $"'cdcm dlq discard {id}' gives the change up: the row then differs from the source until it is repaired",
            ],
        };
        if (decoders is not { } make)
        {
            return detail with { Undecodable = "the service has not started yet" };
        }

        try
        {
            var batch = new ChangeBatch();
            batch.Reset(letter.Lane, letter.Offset);
            var decoder = make();
            await LoadSchemasAsync(decoder, [letter], cancellationToken);
            var result = decoder.Decode(letter.Record, batch);
            return batch.Changes.Count == 0
                ? detail with { Undecodable = $"it is no change of a table of the migration file ({result.Kind})" }
                : detail with { Operation = Name(batch.Changes[0].Operation), Columns = ColumnsOf(batch), RecordValue = null };
        }
        catch (FaultException exception)
        {
            return detail with { Undecodable = exception.Fault.Message };
        }
    }

    /// <summary>Retries row by row, with the target's tables read anew, until all are tried or time is up.</summary>
    /// <exception cref="FaultException">NotAllowed: not started yet, or a lane is frozen. Configuration <c>no-dead-letter</c>. Unreachable.</exception>
    public async Task<DeadLetterRetryReport> RetryAsync(DeadLetterChoice choice, long from, string actor, CancellationToken cancellationToken)
    {
        if (decoders is not { } make)
        {
            throw new FaultException(FaultKind.NotAllowed, "not-started", "The migration has not started", "See 'cdcm status' for what the start waits for");
        }

        await routes.LoadAsync(cancellationToken);
        var begun = time.GetTimestamp();
        var rows = (await desk.RowsAsync(choice, cancellationToken)).Where(row => row.First >= from).ToList();
        if (rows.Count == 0 && choice.Id is { } id && from == 0)
        {
            throw Unknown(id);
        }

        var done = new List<DeadLetterRetryRow>();
        foreach (var row in rows)
        {
            if (done.Count > 0 && time.GetElapsedTime(begun) > RetryTime)
            {
                return Report(done, row.First);
            }

            done.Add(await RetryAsync(row, make(), actor, cancellationToken));
        }

        return Report(done, null);
    }

    /// <exception cref="FaultException">Configuration <c>no-dead-letter</c>. Unreachable.</exception>
    public async Task<DeadLetterDiscardReport> DiscardAsync(DeadLetterChoice choice, string actor, CancellationToken cancellationToken)
    {
        var discarded = await desk.DiscardAsync(choice, actor, cancellationToken);
        return discarded.Count == 0 && choice.Id is { } id ? throw Unknown(id) : new DeadLetterDiscardReport([.. discarded.Select(DeadLetterReport.Of)]);
    }

    private async Task<DeadLetterRetryRow> RetryAsync(ParkedRow row, IRecordDecoder decoder, string actor, CancellationToken cancellationToken)
    {
        var letters = await desk.LettersAsync(row, cancellationToken);
        RetryOutcome outcome;
        try
        {
            // Outside the transaction, for a registry may be slow; decoding itself does no I/O.
            await LoadSchemasAsync(decoder, letters, cancellationToken);
            outcome = await desk.RetryAsync(row, decoder, actor, cancellationToken);
        }
        catch (FaultException exception) when (exception.Fault.Kind == FaultKind.Poison)
        {
            outcome = new RetryOutcome(0, exception.Fault);
        }

        return new DeadLetterRetryRow(
            row.Key.Table, row.Key.Key, outcome.Applied, outcome.Fault is null ? 0 : letters.Count, outcome.Fault is { } fault ? FaultReport.Of(fault) : null);
    }

    private async Task LoadSchemasAsync(IRecordDecoder decoder, IEnumerable<DeadLetter> letters, CancellationToken cancellationToken)
    {
        if (schemas is not { } loader)
        {
            return;
        }

        var batch = new ChangeBatch();
        foreach (var letter in letters)
        {
            for (var missing = 0; ;)
            {
                batch.Reset(letter.Lane, letter.Offset);
                if (MissingSchema(decoder, letter.Record!, batch) is not { } schema || schema == missing)
                {
                    break;
                }

                await loader.LoadAsync(missing = schema, cancellationToken);
            }
        }
    }

    private static int? MissingSchema(IRecordDecoder decoder, LogRecord record, ChangeBatch batch)
    {
        try
        {
            return decoder.Decode(record, batch) is { Kind: DecodeKind.NeedsSchema } needed ? needed.SchemaId : null;
        }
        catch (FaultException)
        {
            // It is known by now that no schema is missing; what is wrong shows when it is retried or shown.
            return null;
        }
    }

    private static DeadLetterRetryReport Report(List<DeadLetterRetryRow> rows, long? next) =>
        new(rows.Sum(row => row.Applied), rows.Sum(row => row.Remaining), rows, next);

    private static List<DeadLetterColumn> ColumnsOf(ChangeBatch batch)
    {
        var change = batch.Changes[0];
        var columns = new List<DeadLetterColumn>();
        for (var i = 0; i < change.Route.SourceColumns.Length; i++)
        {
            var slot = batch.Slot(change, i);
            if (slot.State != ColumnState.Absent)
            {
                columns.Add(new DeadLetterColumn(change.Route.SourceColumns[i], slot.State, slot.State == ColumnState.Value ? Encoding.UTF8.GetString(batch.Value(slot)) : null));
            }
        }

        return columns;
    }

    private static string Name(ChangeOperation operation) => operation == ChangeOperation.SnapshotRow ? "snapshot" : operation.ToString().ToLowerInvariant();

    private static string? Readable(byte[]? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            text = "\0";
        }

        text = text.Contains('\0', StringComparison.Ordinal) ? $"\\x{Convert.ToHexStringLower(bytes)}" : text;
        return text.Length <= MostShown ? text : $"{text.AsSpan(0, MostShown)}…";
    }

    private static FaultException Unknown(long id) =>
        new(FaultKind.Configuration, "no-dead-letter", $"There is no dead letter {id}", "'cdcm dlq list' shows those there are");
}
