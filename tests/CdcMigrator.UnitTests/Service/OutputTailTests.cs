using System.Text;
using CdcMigrator.Service.Switching;
using CsCheck;

namespace CdcMigrator.UnitTests.Service;

public sealed class OutputTailTests
{
    private const string Secret = "s3cr3t-päss";

    [Fact]
    public void What_is_short_is_shown_whole_without_secrets_and_control_characters()
    {
        var tail = new OutputTail([Secret, "", "s3cr3t"]);
        tail.Add(Encoding.UTF8.GetBytes($"a {Secret} b s3cr3t\n\u001b[31mred\tc"));
        Assert.Equal("a *** b ***\n [31mred\tc", tail.ToString());
    }

    [Fact]
    public void Of_what_is_long_the_end_is_shown()
    {
        var tail = new OutputTail([]);
        tail.Add(Encoding.UTF8.GetBytes(new string('x', 100_000) + "end"));
        Assert.Equal($"… {new string('x', OutputTail.Length - 3)}end", tail.ToString());
    }

    /// <summary>Wherever it is cut, and in whichever pieces it comes: no four characters of the secret are shown.</summary>
    [Fact]
    public void No_part_of_a_secret_is_shown() => Gen.Select(Gen.Int[0, 9000], Gen.OneOf(Gen.Int[0, 9000], Gen.Int[OutputTail.Length - 60, OutputTail.Length + 60]), Gen.Int[1, 5000]).Sample((before, behind, piece) =>
    {
        var tail = new OutputTail([Secret]);
        var bytes = Encoding.UTF8.GetBytes($"{new string('.', before)}{Secret}{Secret}{new string('-', behind)}");
        foreach (var part in bytes.Chunk(piece))
        {
            tail.Add(part);
        }

        var shown = tail.ToString();
        Assert.All(Enumerable.Range(0, Secret.Length - 3), at => Assert.DoesNotContain(Secret.Substring(at, 4), shown, StringComparison.Ordinal));
        Assert.EndsWith(new string('-', Math.Min(behind, OutputTail.Length - Secret.Length)), shown, StringComparison.Ordinal);
    });
}
