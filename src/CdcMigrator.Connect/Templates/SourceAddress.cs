using System.Data.Common;
using System.Globalization;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Connect.Templates;

/// <summary>Where the source is and who reads it, from a connection string in Npgsql's or MySqlConnector's form.</summary>
internal sealed record SourceAddress(string Host, int Port, string Database, string User, string Password, string? SslMode)
{
    /// <summary>Reads the connection string; a fault names what Connect cannot do with it, never the string itself.</summary>
    public static SourceAddress Of(SourceSection source)
    {
        var parts = new DbConnectionStringBuilder();
        try
        {
            parts.ConnectionString = source.Connection;
        }
        catch (ArgumentException)
        {
            throw Unusable("is not a connection string", "Write it as Host=…;Port=…;Database=…;Username=…;Password=…");
        }

        var postgres = source.Kind == SourceKind.PostgreSql;
        var host = Value(parts, "Host", "Server", "Data Source", "Address", "Addr", "Network Address") ?? "localhost";
        var port = Value(parts, "Port");
        if (host.StartsWith('/') || host.StartsWith('@'))
        {
            throw Unusable("names a Unix socket, which Kafka Connect cannot use", "Name the source by host and port");
        }

        if (host.Contains(','))
        {
            throw Unusable("names several hosts; a connector reads one", "Name the primary");
        }

        // Npgsql takes host:port, and [::1]:port for IPv6.
        var colon = host.LastIndexOf(':');
        if (colon > 0 && (host.IndexOf(':', StringComparison.Ordinal) == colon || host[colon - 1] == ']'))
        {
            (host, port) = (host[..colon].Trim('[', ']'), host[(colon + 1)..]);
        }

        if (!int.TryParse(port ?? (postgres ? "5432" : "3306"), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw Unusable($"has the port '{port}'", "Set Port to a number");
        }

        var user = Value(parts, "Username", "User Name", "User ID", "UserId", "User", "Uid") ?? throw Unusable("names no user", "Add Username=…");
        return new SourceAddress(
            host,
            number,
            Value(parts, "Database", "Initial Catalog") ?? (postgres ? user : ""),
            user,
            Value(parts, "Password", "Pwd") ?? "",
            Ssl(Value(parts, "SSL Mode", "SslMode", "Ssl-Mode"), source.Kind));
    }

    public void Write(OrderedDictionary<string, string> settings, string? passwordReference)
    {
        settings["database.hostname"] = Host;
        settings["database.port"] = Port.ToString(CultureInfo.InvariantCulture);
        settings["database.user"] = User;
        settings["database.password"] = passwordReference ?? Password;
    }

    private static string? Value(DbConnectionStringBuilder parts, params string[] names) =>
        names.Select(name => parts.TryGetValue(name, out var value) ? value as string : null).FirstOrDefault(value => value is { Length: > 0 });

    /// <summary>The nearest mode of Debezium's that is not weaker; null leaves Debezium's default.</summary>
    private static string? Ssl(string? mode, SourceKind kind) => (mode?.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant(), kind) switch
    {
        (null, _) => null,
        ("verifyca", SourceKind.MySql) => "verify_ca",
        ("verifyca", _) => "verify-ca",
        ("verifyfull", SourceKind.MySql) => "verify_identity",
        ("verifyfull", _) => "verify-full",
        ("disable" or "disabled" or "none", SourceKind.MySql) => "disabled",
        ("disable" or "disabled" or "none", _) => "disable",
        ("allow" or "prefer" or "require", SourceKind.PostgreSql) => mode!.ToLowerInvariant(),
        ("prefer" or "preferred", SourceKind.MySql) => "preferred",
        ("require" or "required", SourceKind.MySql) => "required",
        ("require" or "required", SourceKind.MariaDb) => "trust",
        ("prefer" or "preferred", SourceKind.MariaDb) => null,
        _ => throw Unusable($"has the unknown SSL mode '{mode}'", "Set SSL Mode to Disable, Prefer, Require, VerifyCA or VerifyFull"),
    };

    private static FaultException Unusable(string what, string fix) => new(FaultKind.Configuration, "source-connection", $"source.connection {what}", fix);
}
