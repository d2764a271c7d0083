namespace CdcMigrator.TestKit;

/// <summary>Places in the checkout the tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder of CdcMigrator.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A path below the root.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "CdcMigrator.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no CdcMigrator.sln above {AppContext.BaseDirectory}");
    }
}
