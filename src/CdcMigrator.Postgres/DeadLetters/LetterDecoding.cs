using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Postgres.DeadLetters;

/// <summary>
/// The dead letters of one row, decoded again. What lies before a change that carries the whole row, or deletes it, does not matter to the row's
/// state and need not be readable. Nor does what a connector sent again of changes that come before others among them: the changes of one row follow each other by their LSNs,
/// whatever transactions lie between, for whoever writes it waits for the one before.
/// </summary>
internal sealed class LetterDecoding
{
    private ulong highest;

    private LetterDecoding()
    {
    }

    /// <summary>The changes that could be read, in order.</summary>
    public ChangeBatch Batch { get; } = new();

    /// <summary>First change that matters.</summary>
    public int Start { get; private set; }

    /// <summary>What forbids to apply them; null where nothing does.</summary>
    public Fault? Fault { get; private set; }

    /// <exception cref="FaultException">Unreachable: a schema is not loaded.</exception>
    public static LetterDecoding Of(IReadOnlyList<DeadLetter> letters, IRecordDecoder decoder)
    {
        var decoding = new LetterDecoding();
        decoding.Batch.Reset(letters[0].Lane, 0);
        foreach (var letter in letters)
        {
            decoding.Add(letter, decoder);
        }

        return decoding;
    }

    private void Add(DeadLetter letter, IRecordDecoder decoder)
    {
        try
        {
            var lsn = decoder.ReadKey(letter.Record!).Position.Lsn;
            if (lsn != 0 && lsn < highest)
            {
                return;
            }

            highest = Math.Max(highest, lsn);
            var result = decoder.Decode(letter.Record!, Batch);
            if (result.Kind == DecodeKind.NeedsSchema)
            {
                throw new FaultException(FaultKind.Unreachable, "schema-missing", $"Schema {result.SchemaId} of dead letter {letter.Id} is not loaded", "Check log.schemaRegistry, then retry");
            }

            if (result.Kind != DecodeKind.Change)
            {
                throw new FaultException(FaultKind.Poison, "not-a-change", $"The record is no change of a table of the migration file any more ({result.Kind})",
                    "Add the table again, or discard its dead letters");
            }
        }
        catch (FaultException exception) when (exception.Fault.Kind is FaultKind.Poison)
        {
            Fault ??= exception.Fault with { Lane = letter.Lane, Offset = letter.Offset, Table = letter.Key.Table, Key = letter.Key.Key };
            return;
        }

        var change = Batch.Changes[^1];
        if (IsWhole(change))
        {
            Start = Batch.Changes.Count - 1;
            Fault = null;
        }
    }

    private bool IsWhole(Change change)
    {
        if (change.Operation == ChangeOperation.Delete)
        {
            return true;
        }

        var columns = change.Route.Target.Columns;
        var slots = Batch.Slots(change);
        var lacks = false;
        for (var i = 0; i < slots.Length; i++)
        {
            // Of such a row everything the event lacks is read from the source, whatever precedes it.
            if (slots[i].MustReselect)
            {
                return true;
            }

            // A column the source does not have is absent in every change of the row.
            lacks |= slots[i].State == ColumnState.Unavailable && !columns[i].Generated;
        }

        return !lacks;
    }
}
