using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Migrations;
using MySqlConnector;
using Npgsql;

namespace CdcMigrator.Service.Switching;

/// <summary>Where connection strings lead, without user and password.</summary>
internal static class RouteEnds
{
    /// <summary>Where the source is.</summary>
    public static RouteEnd Of(SourceSection source)
    {
        if (source.Kind == SourceKind.PostgreSql)
        {
            return Of(source.Connection);
        }

        var address = new MySqlConnectionStringBuilder(source.Connection);
        return new RouteEnd(address.Server, (int)address.Port, address.Database);
    }

    /// <summary>Where the target is.</summary>
    public static RouteEnd Of(TargetSection target) => Of(target.Connection);

    private static RouteEnd Of(string connection)
    {
        var address = new NpgsqlConnectionStringBuilder(connection);
        return new RouteEnd(address.Host ?? "", address.Port, address.Database ?? "");
    }
}
