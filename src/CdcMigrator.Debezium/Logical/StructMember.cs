namespace CdcMigrator.Debezium.Logical;

/// <summary>A member of a struct that a logical type reads.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsBytes">In JSON it is base64.</param>
internal sealed record StructMember(string Name, bool IsBytes = false)
{
    /// <summary>The name as readers meet it.</summary>
    public byte[] Utf8 { get; } = System.Text.Encoding.UTF8.GetBytes(Name);
}
