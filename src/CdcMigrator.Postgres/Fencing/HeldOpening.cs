using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// What an opening needs, held by one session from before the other side is sealed until it opens: whoever wants a lock of these tables in between waits for the opening, not the opening for him while both sides
/// deny writes. Nothing is written before the opening, so that a session that ends (its process, its server, its time without a word) has held nothing up but other openings, which go on then.
/// </summary>
public sealed class HeldOpening : IAsyncDisposable
{
    /// <summary>How long the session is waited for: it has all it needs.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction transaction;
    private readonly IReadOnlyList<FencedRelation> relations;

    internal HeldOpening(NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<FencedRelation> relations, string token)
    {
        this.connection = connection;
        this.transaction = transaction;
        this.relations = relations;
        Token = token;
    }

    /// <summary>The attempt it is held for.</summary>
    public string Token { get; }

    /// <summary>The server process that holds it.</summary>
    internal int Backend => connection.ProcessID;

    /// <summary>
    /// What the session is called while it holds, so that others can end it: an application name is all that one server process shows of another. Settings are the transaction's, and end with it.
    /// </summary>
    /// <param name="token">The attempt.</param>
    internal static string NameOf(string token) => $"{Connections.PostgresConnections.OpeningApplication} {token}";

    /// <summary>SQL for the session before it waits for anything: its name, and how soon the server ends it where its owner is gone or says nothing.</summary>
    internal static string Begin(string token, TimeSpan silence) => $"""
        set local application_name = '{NameOf(token).Replace("'", "''", StringComparison.Ordinal)}'; set local idle_in_transaction_session_timeout = {(long)silence.TotalMilliseconds};
        set local lock_timeout = '4s'; set local tcp_keepalives_idle = 5; set local tcp_keepalives_interval = 2; set local tcp_keepalives_count = 3;
        """;

    /// <summary>Ends sessions that hold for an attempt and have said nothing for so long; whether one holds on.</summary>
    internal static async Task<bool> EndAsync(NpgsqlDataSource database, string token, TimeSpan silence, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            select coalesce(bool_or(case when state like 'idle%' and state_change <= pg_catalog.clock_timestamp() - $2 then not pg_catalog.pg_terminate_backend(pid) else true end), false)
            from pg_catalog.pg_stat_activity where datname = pg_catalog.current_database() and usename = current_user and application_name = $1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = NameOf(token) });
        command.Parameters.Add(new NpgsqlParameter { Value = silence });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Whether the session is there and holds; its time without a word begins anew.</summary>
    public async Task<bool> IsHeldAsync(CancellationToken cancellationToken) => await ReadServerAsync(cancellationToken) is not null;

    /// <summary>The server that holds (<see cref="OpeningTerms.Server"/>); null where the session is gone. Its time without a word begins anew.</summary>
    public async Task<string?> ReadServerAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            return await OpeningCheck.ReadServerAsync(connection, patience.Token);
        }
        catch (Exception exception) when (IsGone(exception) && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Opens and commits; null where the session does not answer, and then only the side's row says whether it came to it.</summary>
    /// <param name="open">Changes the row; false where it is not to be opened by this attempt any more.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException"><see cref="OpeningCheck.Behind"/>.</exception>
    internal async Task<bool?> OpenAsync(Func<NpgsqlConnection, CancellationToken, Task<bool>> open, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            if (!await open(connection, patience.Token))
            {
                return false;
            }

            await SourceFence.DisableAsync(connection, relations, patience.Token);
            await transaction.CommitAsync(patience.Token);
            return true;
        }
        catch (Exception exception) when (IsGone(exception) && !cancellationToken.IsCancellationRequested && exception is not FaultException { Fault.Code: OpeningCheck.Behind })
        {
            return null;
        }
    }

    /// <summary>Lets go of everything.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            // Asked with a limit: closing a session that does not answer would wait for it.
            await (connection.FullState.HasFlag(System.Data.ConnectionState.Open) && transaction.Connection is not null ? transaction.RollbackAsync(patience.Token) : Task.CompletedTask);
        }
        catch (Exception exception) when (IsGone(exception))
        {
            // What it held goes with its session.
        }

        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }

    /// <summary>A session that broke, or was given up: whatever it answers from then on is no news.</summary>
    private static bool IsGone(Exception exception) => exception is FaultException or InvalidOperationException or OperationCanceledException || PostgresFaults.IsOfServer(exception);
}
