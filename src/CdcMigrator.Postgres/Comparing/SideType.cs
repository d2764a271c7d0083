using System.Globalization;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>A column's type with domains resolved.</summary>
/// <param name="Schema">Schema of the type.</param>
/// <param name="Name">Its <c>pg_type.typname</c>: <c>int4</c>.</param>
/// <param name="Kind">Its <c>pg_type.typtype</c>: b, e, c, r, m.</param>
/// <param name="Sql">As SQL spells it, without modifier: <c>character varying</c>.</param>
/// <param name="Modifier">Length, precision and scale as the catalog packs them; -1 where there is none.</param>
/// <param name="Element">Of what it is an array; null where it is none.</param>
internal sealed record SideType(string Schema, string Name, char Kind, string Sql, int Modifier, SideType? Element)
{
    /// <summary>What the catalog adds to a length or precision.</summary>
    private const int HeaderBytes = 4;

    /// <summary>The name where it is one of PostgreSQL's own types; empty for others, whatever they are called.</summary>
    public string BuiltIn => Schema == "pg_catalog" && Element is null ? Name : "";

    /// <summary>With its modifier, as <c>format_type</c> prints it; <c>enum</c> for an enum. What a key in an event is told by.</summary>
    public string Declaration => IsEnum ? "enum" : Modifier < 0 ? Sql : BuiltIn switch
    {
        "numeric" => string.Create(CultureInfo.InvariantCulture, $"numeric({((Modifier - HeaderBytes) >> 16) & 0xFFFF},{(((Modifier - HeaderBytes) & 0x7FF) ^ 1024) - 1024})"),
        "bpchar" => string.Create(CultureInfo.InvariantCulture, $"character({Modifier - HeaderBytes})"),
        "varchar" => string.Create(CultureInfo.InvariantCulture, $"character varying({Modifier - HeaderBytes})"),
        "bit" => string.Create(CultureInfo.InvariantCulture, $"bit({Modifier})"),
        "time" or "timestamp" => string.Create(CultureInfo.InvariantCulture, $"{BuiltIn}({Modifier}) without time zone"),
        _ => Sql,
    };

    /// <summary>An enum.</summary>
    public bool IsEnum => Kind == 'e';
}
