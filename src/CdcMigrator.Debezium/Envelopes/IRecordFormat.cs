using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>A serialisation of keys and values: JSON or Avro. What is malformed ends in any exception; the decoder names the record.</summary>
internal interface IRecordFormat
{
    /// <summary>The column being read, for messages.</summary>
    string? Column { get; set; }

    /// <summary>Reads a value's envelope.</summary>
    void ReadEnvelope(byte[] value, Envelope envelope);

    /// <summary>Opens a row in the batch and decodes the value's <c>after</c> into it.</summary>
    void WriteRow(byte[] value, Envelope envelope, TablePlan table, ChangeBatch batch);

    /// <summary>Decodes the value's <c>before</c>: into the open row's part for it, or, where none is open, as a row.</summary>
    void WriteBefore(byte[] value, Envelope envelope, TablePlan table, ChangeBatch batch);

    /// <summary>Checks that a key is the table's; writes it to the open row where a batch is given.</summary>
    void ReadKey(byte[] key, TablePlan table, ChangeBatch? batch);

    /// <summary>Reads two columns of <c>after</c> as text.</summary>
    void ReadRowTexts(byte[] value, Envelope envelope, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, out string? firstText, out string? secondText);

    /// <summary>A key as JSON-like text, for messages.</summary>
    string KeyText(byte[] key);

    /// <summary>Reads a column of a key as text.</summary>
    void ReadKeyTexts(byte[] key, ReadOnlySpan<byte> column, out string? text);
}
