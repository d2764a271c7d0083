using CdcMigrator.Connect.Templates;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Auditing;
using CdcMigrator.Postgres.Auditing;

namespace CdcMigrator.Service.Auditing;

/// <summary>Surveys the source of a migration, whatever its engine. Needs nothing but the source.</summary>
public static class MigrationAudit
{
    /// <summary>Surveys it. Reads only; may be run any time.</summary>
    /// <param name="definition">The migration.</param>
    /// <param name="options">How much to read.</param>
    /// <param name="progress">Told of every table that is done, from any thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="FaultException">The source does not answer, or refuses the login.</exception>
    public static Task<AuditReport> RunAsync(MigrationDefinition definition, AuditOptions options, Action<AuditProgress> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return definition.Source.Kind == SourceKind.PostgreSql
            ? PostgresAudit.RunAsync(definition, Carriage(definition), options, progress, TimeProvider.System, cancellationToken)
            : MariaDbAudit.RunAsync(definition, options, progress, TimeProvider.System, cancellationToken);
    }

    /// <summary>As events carry values under the connector 'cdcm connector register' puts: a survey comes before it.</summary>
    private static Func<ColumnType, Carriage>? Carriage(MigrationDefinition definition)
    {
        if (definition.Log.Kind == LogKind.Embedded)
        {
            return null;
        }

        var settings = DebeziumSettings.FromConnector(ConnectorTemplate.Render(definition));
        return type => EventFidelity.Of(type, settings);
    }
}
