namespace CdcMigrator.Debezium.Logical;

/// <summary>The source holds a value that the target's column cannot, and the migration file does not say what is to become of it.</summary>
/// <param name="code">Code of the fault.</param>
/// <param name="message">What is wrong with the value.</param>
/// <param name="setting">The setting of the column that lets it pass: <c>nonBoolean: true</c>.</param>
internal sealed class RefusedValueException(string code, string message, string setting) : FormatException(message)
{
    public string Code => code;

    public string Setting => setting;
}
