using System.Globalization;

namespace CdcMigrator.Embedded.Servers;

/// <summary>The unprivileged user a server runs as when this process is root.</summary>
/// <param name="Name">Name in the passwd database.</param>
/// <param name="Uid">User id.</param>
/// <param name="Gid">Group id.</param>
internal sealed record ServerUser(string Name, int Uid, int Gid)
{
    /// <summary>The user to switch to; null when this process is not root.</summary>
    public static ServerUser? Current { get; } = Environment.UserName == "root" ? Find() : null;

    private static ServerUser? Find()
    {
        var users = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(fields => fields.Length > 3).ToList();
        var chosen = users.Find(fields => fields[0] == "postgres") ?? users.Find(fields => fields[0] == "nobody");
        return chosen is null
            ? null
            : new ServerUser(chosen[0], int.Parse(chosen[2], CultureInfo.InvariantCulture), int.Parse(chosen[3], CultureInfo.InvariantCulture));
    }
}
