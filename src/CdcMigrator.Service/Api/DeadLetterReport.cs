using CdcMigrator.Postgres.DeadLetters;

namespace CdcMigrator.Service.Api;

/// <summary>A dead letter as the API lists it; without values of its row but the key.</summary>
/// <param name="Id">Its id, for <c>cdcm dlq show</c>.</param>
/// <param name="Table">Source table.</param>
/// <param name="Key">Key of the row.</param>
/// <param name="Topic">Topic of its record.</param>
/// <param name="Partition">Partition of its record.</param>
/// <param name="Offset">Offset of its record.</param>
/// <param name="Code">Code of the fault; <c>behind-parked</c> where it only waits for an earlier one of the row.</param>
/// <param name="Message">The cause.</param>
/// <param name="Bytes">Size of its record.</param>
/// <param name="ParkedAt">When it was parked.</param>
public sealed record DeadLetterReport(
    long Id, string Table, string Key, string Topic, int Partition, long Offset, string Code, string Message, long Bytes, DateTimeOffset ParkedAt)
{
    internal static DeadLetterReport Of(DeadLetter letter) => new(
        letter.Id, letter.Key.Table, letter.Key.Key, letter.Lane.Topic, letter.Lane.Partition, letter.Offset, letter.Code, letter.Message, letter.Bytes, letter.ParkedAt);
}
