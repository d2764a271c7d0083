using CdcMigrator.TestKit;

namespace CdcMigrator.UnitTests.Compose;

public sealed class DockerfileTests
{
    private static readonly string[] Lines = File.ReadAllLines(Repository.PathOf("compose", "Dockerfile"));

    [Fact]
    public void Every_project_is_copied_before_the_restore()
    {
        var restore = Array.FindIndex(Lines, line => line.Contains("dotnet restore", StringComparison.Ordinal));
        var copied = Lines[..restore].Where(line => line.StartsWith("COPY src/", StringComparison.Ordinal)).SelectMany(line => line.Split(' ')).Where(part => part.EndsWith(".csproj", StringComparison.Ordinal));
        var projects = Directory.EnumerateFiles(Repository.PathOf("src"), "*.csproj", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Repository.Root, path));
        Assert.Equal(projects.Order(StringComparer.Ordinal), copied.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_file_it_copies_is_there() => Assert.Empty(
        Lines.Where(line => line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal))
            .SelectMany(line => line.Split(' ')[1..^1]).Where(path => !Path.Exists(Repository.PathOf(path))));

    [Fact]
    public void The_image_has_no_shell_and_no_root()
    {
        Assert.EndsWith("-chiseled", Lines.Last(line => line.StartsWith("FROM ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("USER $APP_UID", Lines);
        Assert.All(
            Lines.Where(line => line.StartsWith("HEALTHCHECK", StringComparison.Ordinal) || line.StartsWith("ENTRYPOINT", StringComparison.Ordinal) || line.StartsWith("CMD", StringComparison.Ordinal)),
            line => Assert.EndsWith("\"]", line, StringComparison.Ordinal));
    }
}
