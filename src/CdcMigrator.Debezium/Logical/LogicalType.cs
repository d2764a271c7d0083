using System.Buffers.Text;
using System.Text;

namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// How the values of one column in one format become PostgreSQL's text. JSON and Avro readers hand over the wire's primitives; what
/// a type does not override, it cannot hold. Immutable and shared; a type that cannot hold a primitive throws <see cref="FormatException"/>.
/// </summary>
internal abstract class LogicalType
{
    /// <summary>In JSON, a string holds base64 of what <see cref="FromBytes"/> takes.</summary>
    public virtual bool TextIsBase64 => false;

    /// <summary>Type of the elements, if this is an array.</summary>
    public virtual LogicalType? Element => null;

    /// <summary>What encloses the elements of an array.</summary>
    public virtual string Brackets => "{}";

    /// <summary>Members read of a struct; null when this is none.</summary>
    public virtual StructMember[]? Members => null;

    /// <summary>Whether this is a map from text to text.</summary>
    public virtual bool IsMap => false;

    /// <summary>No value of it can be taken from the event.</summary>
    public virtual bool IsUnfaithful => false;

    /// <summary>An empty array means unavailable (the embedded log).</summary>
    public virtual bool EmptyArrayIsUnavailable => false;

    public virtual Outcome FromBoolean(bool value, ValueWriter writer) => throw Unexpected("a boolean");

    public virtual Outcome FromInteger(long value, ValueWriter writer) => throw Unexpected("an integer");

    public virtual Outcome FromDouble(double value, ValueWriter writer) => throw Unexpected("a floating point number");

    public virtual Outcome FromSingle(float value, ValueWriter writer) => throw Unexpected("a floating point number");

    /// <summary>A JSON number as it stands.</summary>
    public virtual Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer) =>
        Utf8Parser.TryParse(literal, out long value, out var consumed) && consumed == literal.Length
            ? FromInteger(value, writer)
            : throw Unexpected($"the number {Encoding.UTF8.GetString(literal)}");

    public virtual Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer) => throw Unexpected("a string");

    public virtual Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer) => throw Unexpected("bytes");

    public virtual Outcome FromStruct(StructCells cells, ValueWriter writer) => throw Unexpected("a struct");

    /// <summary>Why a value is malformed, in the words of an error message.</summary>
    protected static FormatException Malformed(string what, ReadOnlySpan<byte> text) =>
        new($"'{Encoding.UTF8.GetString(text[..Math.Min(text.Length, 60)])}' is not {what}");

    private FormatException Unexpected(string what) => new($"{GetType().Name} cannot hold {what}");
}
