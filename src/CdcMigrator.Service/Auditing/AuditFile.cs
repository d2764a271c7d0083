using System.Text.Json;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Service.Auditing;

/// <summary>Reads an audit that was written as JSON.</summary>
public static class AuditFile
{
    private const string Fix = "Write it with 'cdcm audit -f FILE -o json > audit.json'";

    /// <summary>The audit of a file.</summary>
    /// <exception cref="FaultException">Configuration: there is no such file, it is no audit, of another version, or of another migration.</exception>
    public static AuditReport Load(string path, string migration)
    {
        try
        {
            var document = JsonSerializer.Deserialize<AuditDocument>(File.ReadAllText(path), ApiJson.Options);
            if (document is not { Migration: not null, Source: not null, Tables: not null, Findings: not null, ForeignKeys: not null, Sequences: not null, Extensions: not null })
            {
                throw new FaultException(FaultKind.Configuration, "no-audit", $"{path} is no audit", Fix);
            }

            return document.SchemaVersion != AuditDocument.CurrentVersion
                ? throw new FaultException(FaultKind.Configuration, "audit-version", $"{path} has form {document.SchemaVersion}; this version reads {AuditDocument.CurrentVersion}", Fix)
                : document.Migration != migration
                    ? throw new FaultException(FaultKind.Configuration, "audit-other", $"{path} is the audit of migration {document.Migration}, and the file's is {migration}", Fix)
                    : document.ToReport();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(FaultKind.Configuration, "no-audit", $"{path} cannot be read: {exception.Message}", Fix, exception);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or NotSupportedException)
        {
            throw new FaultException(FaultKind.Configuration, "no-audit", $"{path} is no audit: {exception.Message}", Fix, exception);
        }
    }
}
