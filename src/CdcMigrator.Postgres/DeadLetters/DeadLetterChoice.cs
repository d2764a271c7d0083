namespace CdcMigrator.Postgres.DeadLetters;

/// <summary>Which dead letters are meant: those that fit all that is given, all of the migration where nothing is.</summary>
/// <param name="Id">One by its id.</param>
/// <param name="Table">Those of a source table.</param>
/// <param name="Key">Those of a row: its key as it is shown, or its values alone joined by commas.</param>
public sealed record DeadLetterChoice(long? Id = null, string? Table = null, string? Key = null)
{
    internal const string Condition = """
        migration = $1 and ($2::bigint is null or id = $2) and ($3::text is null or table_name = $3) and ($4::text is null or row_key = $4
            or (left($4, 1) <> '{' and (select pg_catalog.string_agg(part.value, ',') from pg_catalog.json_each_text(row_key::json) as part) = $4))
        """;

    internal void AddTo(Npgsql.NpgsqlCommand command, string migration)
    {
        command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = migration });
        command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = (object?)Id ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = (object?)Table ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = (object?)Key ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
    }
}
