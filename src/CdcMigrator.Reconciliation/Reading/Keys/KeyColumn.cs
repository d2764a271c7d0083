using System.Globalization;
using System.Text;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>One column of a key: which field of a record's key it is, and what its text is made of.</summary>
internal sealed class KeyColumn
{
    /// <summary>Makes the column.</summary>
    public KeyColumn(ComparedColumn compared, ReadingSettings settings)
    {
        Type = KeyType.Of(compared.SourceDeclaration ?? compared.SourceType, settings.IsMySqlFamily, compared.SourceDeclaration is not null);
        Form = compared.Form;
        Field = Encode(compared.Source, settings.Names);
        FieldUtf8 = Encoding.UTF8.GetBytes(Field);
        Schemaless = FieldMeaning.Of(Type, settings);
    }

    /// <summary>Its type in the source.</summary>
    public KeyType Type { get; }

    /// <summary>The form its text is told in.</summary>
    public CanonicalForm Form { get; }

    /// <summary>The field's name.</summary>
    public string Field { get; }

    /// <summary>The same as bytes.</summary>
    public byte[] FieldUtf8 { get; }

    /// <summary>What its value is in records without a schema.</summary>
    public FieldMeaning Schemaless { get; }

    /// <summary>Debezium's name for a column.</summary>
    private static string Encode(string name, NameEncoding encoding)
    {
        if (encoding == NameEncoding.Plain)
        {
            return name;
        }

        var text = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var (letter, digit) = (char.IsAsciiLetter(name[i]), char.IsAsciiDigit(name[i]));
            if (encoding == NameEncoding.Unicode)
            {
                // The underscore begins an escape, so it is one itself.
                text.Append(letter || (digit && i > 0) ? name[i].ToString() : string.Create(CultureInfo.InvariantCulture, $"_u{(int)name[i]:x4}"));
                continue;
            }

            text.Append(digit && i == 0 ? "_" : "").Append(letter || digit ? name[i] : '_');
        }

        return text.ToString();
    }
}
