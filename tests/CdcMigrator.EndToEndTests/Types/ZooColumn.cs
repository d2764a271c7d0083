using System.Text;

namespace CdcMigrator.EndToEndTests.Types;

/// <summary>One type with values at its edges, and a value large enough to be stored out of line.</summary>
/// <param name="Type">The type as declared.</param>
/// <param name="Values">Literals, each cast to the type.</param>
internal sealed record ZooColumn(string Type, params string[] Values)
{
    /// <summary>SQL expression of a large value, over <c>t</c> (2,720 hexadecimal digits); null for types that are never stored out of line.</summary>
    public string? Large { get; init; }

    /// <summary>The column's name, plain enough to be the same in every format.</summary>
    public string Name
    {
        get
        {
            var name = new StringBuilder("c_");
            foreach (var character in Type.Replace("[]", "_array", StringComparison.Ordinal))
            {
                name.Append(char.IsAsciiLetterOrDigit(character) ? char.ToLowerInvariant(character) : '_');
            }

            return name.ToString();
        }
    }

    /// <summary>Literal of a row; values repeat.</summary>
    public string Literal(int row) => $"'{Values[row % Values.Length].Replace("'", "''", StringComparison.Ordinal)}'::{Type}";

    /// <summary>A large array of an expression over <c>i</c>.</summary>
    public static string Many(int count, string expression) => $"(select array_agg({expression}) from generate_series(1, {count}) i)";
}
