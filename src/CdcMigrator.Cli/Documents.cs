using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Cli;

/// <summary>Writes what a verb was asked to leave in a file.</summary>
internal static class Documents
{
    /// <summary>Writes a file, or standard output for <c>-</c>.</summary>
    /// <exception cref="FaultException">Configuration: it cannot be written.</exception>
    public static void Write(Invocation call, string path, string text)
    {
        if (path == "-")
        {
            call.Terminal.Out.Write(text);
            return;
        }

        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(FaultKind.Configuration, "not-written", $"{path} cannot be written: {exception.Message}", "Name a file in a folder that exists", exception);
        }

        call.Terminal.Error.WriteLine($"written: {path}");
    }
}
