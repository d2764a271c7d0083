using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Auditing;
using CdcMigrator.TestKit.Golden;
using CdcMigrator.UnitTests.Cutover.Planning;

namespace CdcMigrator.UnitTests.Service;

/// <summary>An audit as others read it.</summary>
public sealed class AuditDocumentTests
{
    [Fact]
    public void The_audit_as_json_is_frozen() => GoldenFile.Matches("json-audit", JsonSerializer.Serialize(AuditDocument.Of(Audits.Shop), ApiJson.Options));

    [Fact]
    public void The_audit_as_markdown_is_frozen() => GoldenFile.Matches("audit-markdown", AuditMarkdown.Render(Audits.Shop));

    [Fact]
    public void What_was_written_is_read_again()
    {
        var json = JsonSerializer.Serialize(AuditDocument.Of(Audits.Shop), ApiJson.Options);
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, json);
            Assert.Equal(json, JsonSerializer.Serialize(AuditDocument.Of(AuditFile.Load(path, "shop")), ApiJson.Options));
            Assert.Equal("audit-other", Assert.Throws<FaultException>(() => AuditFile.Load(path, "other")).Fault.Code);
            File.WriteAllText(path, json.Replace("\"schemaVersion\": 1", "\"schemaVersion\": 2", StringComparison.Ordinal));
            Assert.Equal("audit-version", Assert.Throws<FaultException>(() => AuditFile.Load(path, "shop")).Fault.Code);
            foreach (var text in new[] { "", "{}", "[]", "null", json[..100] })
            {
                File.WriteAllText(path, text);
                Assert.Equal("no-audit", Assert.Throws<FaultException>(() => AuditFile.Load(path, "shop")).Fault.Code);
            }
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Equal("no-audit", Assert.Throws<FaultException>(() => AuditFile.Load(path, "shop")).Fault.Code);
    }
}
