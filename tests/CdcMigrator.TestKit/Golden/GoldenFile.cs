using Xunit;

namespace CdcMigrator.TestKit.Golden;

/// <summary>
/// What users' scripts rest on (help, JSON, metrics, keys), frozen in <c>tests/CdcMigrator.UnitTests/Golden</c>: a change of it is a
/// difference a reviewer sees. <c>CDCM_UPDATE_GOLDEN=1</c> writes the files anew.
/// </summary>
public static class GoldenFile
{
    /// <summary>Fails where the text differs from the file, and names the first line that does.</summary>
    public static void Matches(string name, string actual)
    {
        var path = Repository.PathOf("tests", "CdcMigrator.UnitTests", "Golden", $"{name}.txt");
        var text = actual.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
        if (Environment.GetEnvironmentVariable("CDCM_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
            return;
        }

        Assert.True(File.Exists(path), $"{path} is missing; CDCM_UPDATE_GOLDEN=1 writes it");
        var expected = File.ReadAllText(path);
        if (expected != text)
        {
            var (was, now) = (expected.Split('\n'), text.Split('\n'));
            var line = Enumerable.Range(0, Math.Max(was.Length, now.Length)).First(i => was.ElementAtOrDefault(i) != now.ElementAtOrDefault(i));
            Assert.Fail(
                $"Golden/{name}.txt differs from line {line + 1} on:\n- {was.ElementAtOrDefault(line)}\n+ {now.ElementAtOrDefault(line)}\n"
                + "If the change is meant, run the test with CDCM_UPDATE_GOLDEN=1, and tell users in CHANGELOG.md.");
        }
    }
}
