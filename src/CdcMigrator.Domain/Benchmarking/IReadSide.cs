namespace CdcMigrator.Domain.Benchmarking;

/// <summary>One side's database, on which queries are run in read-only transactions, one at a time. Not thread-safe.</summary>
public interface IReadSide : IAsyncDisposable
{
    /// <summary>Runs a query and reads all of its rows.</summary>
    /// <param name="sql">One SELECT.</param>
    /// <param name="digester">Gets the rows; null where only time counts.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Milliseconds until the last row was read.</returns>
    /// <exception cref="Faults.FaultException">Configuration, code <c>query</c>: the side refuses the query; <c>query-time</c>: it took longer than allowed. Else the side does not answer.</exception>
    Task<double> RunAsync(string sql, ResultDigester? digester, CancellationToken cancellationToken);

    /// <summary>What changes whenever a table the query reads is written. May change without that; may lag behind by a second.</summary>
    Task<string> ReadPlaceAsync(string sql, CancellationToken cancellationToken);
}
