namespace CdcMigrator.Domain.Auditing;

/// <summary>Names under which an audit counts rows, in both engines alike. Part of its JSON.</summary>
public static class ValueOddity
{
    /// <summary>Empty text or bytes.</summary>
    public const string Empty = "empty";

    /// <summary>Text with white space at an end.</summary>
    public const string Padded = "padded";

    /// <summary>Text beyond ASCII.</summary>
    public const string NonAscii = "nonAscii";

    /// <summary>Text with U+FFFD, the trace of an earlier damage.</summary>
    public const string Replacement = "replacementCharacter";

    /// <summary>JSON with an escaped U+0000, or text with U+0000 itself.</summary>
    public const string Nul = "nulCharacter";

    /// <summary>NaN.</summary>
    public const string NotANumber = "nan";

    /// <summary>Infinite numbers, dates and times.</summary>
    public const string Infinite = "infinite";

    /// <summary>Dates before Christ.</summary>
    public const string BeforeChrist = "beforeChrist";

    /// <summary>Years beyond 9999.</summary>
    public const string FarFuture = "beyondYear9999";

    /// <summary>Values of more than a megabyte: more than Kafka takes in one message unless told to.</summary>
    public const string OverMegabyte = "overOneMegabyte";

    /// <summary>0000-00-00.</summary>
    public const string ZeroDate = "zeroDate";

    /// <summary>Dates without year, month or day.</summary>
    public const string PartialDate = "partialDate";

    /// <summary>Unsigned numbers beyond 2^63 - 1.</summary>
    public const string BeyondBigint = "beyondBigint";

    /// <summary>tinyint(1) with other numbers than 0 and 1.</summary>
    public const string NotBoolean = "notBoolean";

    /// <summary>The empty label of an invalid enum value.</summary>
    public const string EnumIndexZero = "enumIndexZero";

    /// <summary>Times that are no time of day.</summary>
    public const string NoTimeOfDay = "noTimeOfDay";

    /// <summary>The year 0000.</summary>
    public const string YearZero = "yearZero";
}
