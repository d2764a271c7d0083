using CdcMigrator.Domain.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>Writes of the process that compares, and of no earlier one: a process that lost its lease without noticing is refused.</summary>
/// <param name="target">The target, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
internal sealed class VerificationOwner(NpgsqlDataSource target, string migration)
{
    /// <summary>One transaction, which a later owner waits for.</summary>
    /// <param name="owner">What <see cref="VerificationStore.ClaimAsync"/> gave.</param>
    /// <param name="work">What is written, all or nothing.</param>
    /// <param name="cancellationToken">Gives up; may be repeated.</param>
    /// <exception cref="FaultException">Fenced: another process compares, and what it kept stays.</exception>
    public async Task WriteAsync(long owner, Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken)
    {
        await using var connection = await target.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var own = new NpgsqlCommand("select true from cdc_migrator.verification_beat where migration = $1 and owner = $2 for share", connection))
        {
            own.Parameters.Add(new NpgsqlParameter { Value = migration });
            own.Parameters.Add(new NpgsqlParameter { Value = owner });
            if (await own.ExecuteScalarAsync(cancellationToken) is not true)
            {
                throw Fenced();
            }
        }

        await work(connection);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Another process compares.</summary>
    public FaultException Fenced() => new(FaultKind.Fenced, "verification-fenced", $"Another process compares migration {migration} now", "Nothing is to be done");
}
